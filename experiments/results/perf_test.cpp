#include "experiments/results/perf_test.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/trace_kinds.hpp"

namespace experiments {
namespace {

constexpr std::int64_t kReportingInterval = 5'000'000'000;
constexpr double kMegabyte = 1024.0 * 1024.0;

/// The tools' clocks count whole milliseconds.
std::int64_t whole_ms(std::int64_t ns) {
  return (ns + 500'000) / 1'000'000;
}

double per_second(double amount, std::int64_t ns) {
  return amount / (static_cast<double>(ns) * 1e-9);
}

/// As Java prints what it cannot divide.
std::string rate(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return "Infinity";
  return fmt::format("{:.4f}", value);
}

/// yyyy-MM-dd HH:mm:ss:SSS; a run of more than a month goes on to the 32nd of January.
std::string date(std::int64_t ns) {
  const std::int64_t t = whole_ms(ns);
  return fmt::format("1970-01-{:02} {:02}:{:02}:{:02}:{:03}", 1 + t / 86'400'000, t / 3'600'000 % 24,
                     t / 60'000 % 60, t / 1000 % 60, t % 1000);
}

std::string window_line(std::uint64_t count, double bytes, double mean_ms, std::int64_t max,
                        std::int64_t elapsed) {
  return fmt::format(
      "{} records sent, {:.1f} records/sec ({:.2f} MB/sec), {:.1f} ms avg latency, {:.1f} ms max latency.",
      count, per_second(static_cast<double>(count), elapsed), per_second(bytes, elapsed) / kMegabyte, mean_ms,
      static_cast<double>(whole_ms(max)));
}

std::string total_line(const sim::Histogram& latency, double bytes, std::int64_t elapsed) {
  const auto count = static_cast<double>(latency.count());
  return fmt::format(
      "{} records sent, {:.6f} records/sec ({:.2f} MB/sec), {:.2f} ms avg latency, {:.2f} ms max latency, {} "
      "ms 50th, "
      "{} ms 95th, {} ms 99th, {} ms 99.9th.",
      latency.count(), per_second(count, elapsed), per_second(bytes, elapsed) / kMegabyte,
      latency.mean() * 1e-6, static_cast<double>(whole_ms(latency.max())), whole_ms(latency.quantile(0.5)),
      whole_ms(latency.quantile(0.95)), whole_ms(latency.quantile(0.99)), whole_ms(latency.quantile(0.999)));
}

}  // namespace

void PerfTest::attach(const models::Entities& entities) {
  entities_ = &entities;
  for (std::uint32_t id = 0; id < entities.all().size(); ++id) {
    const models::Entity& entity = entities[id];
    if (entity.kind == models::EntityKind::member) {
      for (const models::GroupOptions& group : groups_) {
        if (group.transform && entities[entity.parent].name == group.name)
          mean_size_[id] = group.transform->size.mean();
      }
    }
    if (entity.kind != models::EntityKind::producer) continue;
    const std::string row =
        entity.name.substr(0, entity.name.rfind('/'));  // of the instances "row/0", "row/1" …
    for (const models::ProducerOptions& options : options_) {
      if (options.name == (options.instances == 1 ? entity.name : row)) mean_size_[id] = options.size.mean();
    }
  }
}

void PerfTest::consume(const sim::TraceBlock& block) {
  for (std::size_t i = 0; i < block.records.size(); ++i) {
    const sim::TraceRecord& r = block.records[i];
    ledger_.apply(r, block.payload(r), block.first + i);
    look(r, block);
  }
}

void PerfTest::look(const sim::TraceRecord& r, const sim::TraceBlock& block) {
  const std::int64_t now = sim::nanoseconds(r.time);
  switch (static_cast<models::Kind>(r.kind)) {
    case models::Kind::offered: {
      sent_[r.place][r.actor] += static_cast<std::uint64_t>(r.b);
      Producer& producer = producers_[r.actor];
      const std::int64_t created = block.payload(r).front();
      if (producer.began < 0 || created < producer.began) {
        if (producer.window.began == producer.began) producer.window.began = created;
        producer.began = created;
      }
      break;
    }
    case models::Kind::member_state: {
      Member& member = members_[r.actor];
      if (member.began < 0) member.began = member.join_began = now;
      break;
    }
    case models::Kind::ownership: {
      Member& member = members_[r.actor];
      if (r.a == 1) {
        if (member.partitions++ == 0) member.joining += now - member.join_began;
      } else if (member.partitions > 0 && --member.partitions == 0) {
        member.join_began = now;
      }
      break;
    }
    case models::Kind::delivered: {
      Member& member = members_[r.actor];
      member.messages += static_cast<std::uint64_t>(r.b);
      member.bytes += static_cast<double>(r.b) * mean_size_in(r.place);
      member.ended = now;
      break;
    }
    default:
      break;
  }
}

void PerfTest::acknowledged(const models::MessageRun& run) {
  const std::int64_t now = sim::nanoseconds(run.record.time);
  Producer& producer = producers_[run.record.actor];
  Stats& window = producer.window;
  for (std::size_t i = 0; i < run.columns.count; ++i) {
    const std::int64_t latency = now - run.columns.created[i];
    producer.latency.record(latency);
    ++window.count;
    window.latency += latency;
    window.latency_max = std::max(window.latency_max, latency);
    if (now - window.began < kReportingInterval) continue;
    producer.lines.push_back(
        window_line(window.count, static_cast<double>(window.count) * mean_size_[run.record.actor],
                    static_cast<double>(window.latency) * 1e-6 / static_cast<double>(window.count),
                    window.latency_max, now - window.began));
    window = {.began = now};
  }
  producer.ended = now;
}

double PerfTest::mean_size_in(std::uint32_t partition) const {
  const auto found = sent_.find(partition);
  if (found == sent_.end()) return 0;
  double bytes = 0, messages = 0;
  for (const auto& [producer, count] : found->second) {
    bytes += static_cast<double>(count) * mean_size_.at(producer);
    messages += static_cast<double>(count);
  }
  return bytes / messages;
}

void PerfTest::finish(sim::Time end) {
  ledger_.finish(end);
  for (auto& [id, p] : producers_) {
    PerfReport::Producer& out = report_.producers.emplace_back();
    out.name = (*entities_)[id].name;
    out.lines = std::move(p.lines);
    if (p.latency.count() == 0) continue;
    const double bytes = static_cast<double>(p.latency.count()) * mean_size_[id];
    out.lines.push_back(total_line(p.latency, bytes, p.ended - p.began));
  }
  for (auto& [id, m] : members_) {
    const models::Entity& entity = (*entities_)[id];
    const std::string& name = (*entities_)[entity.parent].name;
    auto group = std::find_if(report_.groups.begin(), report_.groups.end(),
                              [&name](const PerfReport::Group& g) { return g.name == name; });
    if (group == report_.groups.end()) group = report_.groups.insert(group, {name, {}});
    const std::int64_t last = m.ended < 0 ? sim::nanoseconds(end) : m.ended;
    // What is joined for after the last records is none of the tool's time.
    const std::int64_t elapsed = last - m.began;
    const std::int64_t joining = std::min(m.joining, elapsed);
    const std::int64_t fetching = elapsed - joining;
    const double mb = m.bytes / kMegabyte;
    const auto messages = static_cast<double>(m.messages);
    group->members.emplace_back(
        entity.name, fmt::format("{}, {}, {:.4f}, {}, {}, {}, {}, {}, {}, {}", date(m.began), date(last), mb,
                                 rate(per_second(mb, elapsed)), m.messages,
                                 rate(per_second(messages, elapsed)), whole_ms(joining), whole_ms(fetching),
                                 rate(per_second(mb, fetching)), rate(per_second(messages, fetching))));
  }
}

}  // namespace experiments
