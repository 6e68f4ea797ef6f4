// Random programs against a reference: every message is in one place, and both agree on which.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/queue_story.hpp"

using namespace rabbitmq_test;

namespace {

/// The rules, said another way: one sorted list of what is ready, one list of who holds what. As slow as it is plain.
class Reference {
 public:
  struct Entry {
    std::uint64_t number;
    std::uint8_t priority;
    bool persistent;
    sim::Time expires;
    bool again = false;
  };
  struct Holder {
    std::uint32_t id;
    ConsumerOptions options;
    std::vector<std::pair<std::uint64_t, Entry>> held;  // by ordinal
    std::uint64_t ordinals = 0;
  };

  explicit Reference(const QueueArguments& arguments) : arguments_(arguments) {}

  bool publish(std::uint8_t priority, bool persistent, sim::Time expires, sim::Time now) {
    if (arguments_.overflow != Overflow::drop_head && arguments_.max_length &&
        static_cast<std::int64_t>(ready.size()) + 1 > *arguments_.max_length)
      return false;
    if (arguments_.message_ttl) expires = std::min(expires, now + *arguments_.message_ttl);
    tell("stored", next);
    ready.push_back({next++, std::min(priority, arguments_.max_priority), persistent, expires});
    if (!serve(now, true)) trim(now);
    return true;
  }
  void add(std::uint32_t id, ConsumerOptions options, sim::Time now) {
    skipped[id] = false;
    holders.push_back({id, options, {}, base[id]});
    turn.push_back(id);
    if (!active) elect();
    serve(now, false);
  }
  void remove(std::uint32_t id, sim::Time now) {
    Holder& gone = holder(id);
    base[id] = gone.ordinals;
    for (auto& [ordinal, entry] : gone.held) give_back(entry);
    turn.erase(std::find(turn.begin(), turn.end(), id));
    holders.erase(holders.begin() + (&gone - holders.data()));
    if (active == id) elect();
    trim(now);
    serve(now, false);
  }
  enum class What { ack, requeue, reject };
  void answer(std::uint32_t id, std::uint64_t ordinal, What what, sim::Time now) {
    Holder& who = holder(id);
    const auto at =
        std::find_if(who.held.begin(), who.held.end(), [&](const auto& h) { return h.first == ordinal; });
    const bool was_full = full(who);
    Entry entry = at->second;
    who.held.erase(at);
    if (what == What::ack) tell("settled", entry.number);
    if (what == What::reject) told.push_back("gone " + std::to_string(entry.number) + " rejected");
    if (what == What::requeue) give_back(entry);
    if (was_full && skipped[id]) {
      // It had been passed over: its turn is behind the others'.
      turn.erase(std::find(turn.begin(), turn.end(), id));
      turn.push_back(id);
      skipped[id] = false;
    }
    if (what == What::requeue) trim(now);
    serve(now, false);
  }
  void expire(sim::Time now) { drop_expired(now); }
  void crash(std::uint64_t written) {
    for (Holder& h : holders) {
      base[h.id] = 0;
      for (auto& [ordinal, entry] : h.held) give_back(entry);
    }
    holders.clear();
    turn.clear();
    base.clear();
    skipped.clear();
    active.reset();
    std::sort(ready.begin(), ready.end(), [](const Entry& a, const Entry& b) { return a.number < b.number; });
    std::vector<Entry> kept;
    for (const Entry& e : ready) {
      if (e.persistent && e.number < written)
        kept.push_back(e);
      else
        told.push_back("gone " + std::to_string(e.number) + " restart");
    }
    ready = kept;
  }

  std::vector<Entry> ready;
  std::vector<Holder> holders;
  std::uint64_t next = 0;
  Told told;

 private:
  Holder& holder(std::uint32_t id) {
    return *std::find_if(holders.begin(), holders.end(), [id](const Holder& h) { return h.id == id; });
  }
  /// Of a queue with a single active consumer: the first of the highest priority.
  void elect() {
    active.reset();
    int best = std::numeric_limits<int>::min();
    for (const Holder& h : holders) {
      if (h.options.priority <= best) continue;
      best = h.options.priority;
      active = h.id;
    }
  }
  static bool full(const Holder& h) {
    return !h.options.automatic && h.options.prefetch > 0 && h.held.size() >= h.options.prefetch;
  }
  void tell(const char* what, std::uint64_t number) {
    told.push_back(std::string(what) + " " + std::to_string(number));
  }
  void give_back(Entry entry) {
    entry.again = true;
    tell("back", entry.number);
    ready.push_back(entry);
  }
  std::vector<Entry>::iterator head() {
    return std::min_element(ready.begin(), ready.end(), [](const Entry& a, const Entry& b) {
      return a.priority != b.priority ? a.priority > b.priority : a.number < b.number;
    });
  }
  void drop_expired(sim::Time now) {
    while (!ready.empty() && head()->expires <= now) {
      told.push_back("gone " + std::to_string(head()->number) + " expired");
      ready.erase(head());
    }
  }
  void trim(sim::Time now) {
    while (arguments_.overflow == Overflow::drop_head && arguments_.max_length &&
           static_cast<std::int64_t>(ready.size()) > *arguments_.max_length) {
      told.push_back("gone " + std::to_string(head()->number) + " maxlen");
      ready.erase(head());
    }
    drop_expired(now);
  }
  /// Gives away what can be given. `fresh`: only a message that finds an empty queue, which is not looked at for its age.
  bool serve(sim::Time now, bool fresh) {
    if (fresh && ready.size() > 1) return false;
    bool any = false;
    while (!ready.empty()) {
      std::vector<std::uint32_t> order = turn;
      std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return holder(a).options.priority > holder(b).options.priority;
      });
      const auto found = std::find_if(order.begin(), order.end(), [&](std::uint32_t id) {
        if (arguments_.single_active_consumer) return active == id && !full(holder(id));
        if (full(holder(id))) skipped[id] = true;
        return !full(holder(id));
      });
      if (found == order.end()) return any;
      Holder& to = holder(*found);
      const Entry entry = *head();
      ready.erase(head());
      if (!fresh) drop_expired(now);
      told.push_back("to " + std::to_string(to.id) + ": " + std::to_string(entry.number) +
                     (entry.again ? " again" : ""));
      if (to.options.automatic)
        tell("settled", entry.number);
      else
        to.held.emplace_back(to.ordinals, entry);
      ++to.ordinals;
      turn.erase(std::find(turn.begin(), turn.end(), to.id));
      turn.push_back(to.id);
      any = true;
    }
    return any;
  }

  QueueArguments arguments_;
  std::vector<std::uint32_t> turn;
  std::optional<std::uint32_t> active;
  std::map<std::uint32_t, std::uint64_t> base;  // ordinals of a place that is taken again go on
  std::map<std::uint32_t, bool> skipped;
};

/// What goes wrong in the queue alone: what is acknowledged is put back, so that it is settled and there, or what is
/// returned is settled, so that nobody has it.
enum class Planted { nothing, in_two_places, in_none };

/// One program; false at the first step at which the two differ.
bool run_program(std::uint64_t seed, int steps, Planted planted = Planted::nothing) {
  sim::Stream draw(sim::stream_key(seed, "program"));
  const auto below = [&](std::uint64_t n) {
    return static_cast<std::uint64_t>(draw.uniform() * static_cast<double>(n));
  };
  QueueArguments arguments;
  if (below(3) == 0) arguments.max_length = static_cast<std::int64_t>(1 + below(6));
  if (below(3) == 0) arguments.overflow = Overflow::reject_publish;
  if (below(3) == 0) arguments.message_ttl = std::chrono::milliseconds{static_cast<std::int64_t>(below(40))};
  arguments.single_active_consumer = below(5) == 0;
  if (below(3) == 0) arguments.max_priority = static_cast<std::uint8_t>(1 + below(3));
  Fixture f(arguments);
  Reference reference(arguments);
  std::uint64_t stored = 0, left = 0;
  std::int64_t ms = 0;
  for (int step = 0; step < steps; ++step) {
    ms += static_cast<std::int64_t>(below(4));
    const sim::Time now = at(ms);
    const std::uint64_t what = below(12);
    if (what < 5) {
      Message m;
      m.priority = static_cast<std::uint8_t>(below(4));
      m.persistent = below(4) > 0;
      if (below(4) == 0) m.expires = now + std::chrono::milliseconds{static_cast<std::int64_t>(below(30))};
      const Message given = m;
      const bool taken = f.queue.publish(m, now);
      if (taken != reference.publish(given.priority, given.persistent, given.expires, now)) return false;
    } else if (what == 5 && reference.holders.size() < 4) {
      ConsumerOptions options{.prefetch = static_cast<std::uint32_t>(below(4)),
                              .automatic = below(8) == 0,
                              .priority = static_cast<std::int32_t>(below(2))};
      const ConsumerId id = f.queue.next_consumer_id();
      REQUIRE(f.queue.add_consumer(options, now) == id);
      reference.add(id.value, options, now);
    } else if (what == 6 && !reference.holders.empty()) {
      const std::uint32_t id = reference.holders[below(reference.holders.size())].id;
      f.queue.remove_consumer(ConsumerId{id}, now);
      reference.remove(id, now);
    } else if (what >= 7 && what < 10 && !reference.holders.empty()) {
      const Reference::Holder& who = reference.holders[below(reference.holders.size())];
      if (who.held.empty()) continue;
      const std::uint64_t ordinal = who.held[below(who.held.size())].first;
      const std::uint32_t id = who.id;
      const auto how = static_cast<Reference::What>(what - 7);
      auto done = how;
      if (planted == Planted::in_two_places && how == Reference::What::ack) done = Reference::What::requeue;
      if (planted == Planted::in_none && how == Reference::What::requeue) done = Reference::What::ack;
      const bool known = done == Reference::What::ack       ? f.queue.ack(ConsumerId{id}, ordinal, now)
                         : done == Reference::What::requeue ? f.queue.requeue(ConsumerId{id}, ordinal, now)
                                                            : f.queue.reject(ConsumerId{id}, ordinal, now);
      REQUIRE(known);
      reference.answer(id, ordinal, how, now);
    } else if (what == 10) {
      f.queue.expire(now);
      reference.expire(now);
    } else if (what == 11 && below(10) == 0) {
      const std::uint64_t written = f.queue.next_number() - std::min(f.queue.next_number(), below(3));
      f.queue.written(written);
      f.queue.crash();
      reference.crash(written);
    }
    const Told told = f.story.news();
    if (told != reference.told) {
      if (planted != Planted::nothing) return false;
      INFO("seed " << seed << ", step " << step << ", kind " << what);
      REQUIRE(told == reference.told);
    }
    reference.told.clear();
    for (const std::string& one : told) {
      stored += one.rfind("stored", 0) == 0 ? 1 : 0;
      left += one.rfind("settled", 0) == 0 || one.rfind("gone", 0) == 0 ? 1 : 0;
    }
    if (stored != left + f.queue.ready() + f.queue.unacknowledged()) return false;
    if (f.queue.broken()) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("random programs leave no message of a queue in two places or in none", "[rabbitmq]") {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    INFO("seed " << seed);
    REQUIRE(run_program(seed, 60));
  }
}

TEST_CASE("random programs notice a message in two places and one in none", "[rabbitmq]") {
  const auto noticed = [](Planted planted) {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) count += run_program(seed, 60, planted) ? 0 : 1;
    return count;
  };
  CHECK(noticed(Planted::nothing) == 0);
  CHECK(noticed(Planted::in_two_places) > 50);
  CHECK(noticed(Planted::in_none) > 50);
}
