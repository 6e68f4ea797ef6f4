#include "experiments/scenario/flow_tables.hpp"

#include <string>

#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {

const std::vector<Row<models::HandOff>>& hand_off_rows() {
  using models::HandOff;
  static const std::vector<Row<HandOff>> rows{
      {{"threads", KeyType::integer, "how many", "1", false, 1, 10'000},
       [](const Value& v, HandOff& h, const BindContext&) { h.threads = whole<std::uint32_t>(v); }},
      {choice_key("order",
                  "of which records one is worked on at a time: those of a key, those of a partition",
                  "\"none\"", {"none", "key", "partition"}),
       [](const Value& v, HandOff& h, const BindContext&) {
         if (v.text == "key") h.order = HandOff::Order::key;
         if (v.text == "partition") h.order = HandOff::Order::partition;
       }},
      {{"buffer", KeyType::integer, "records handed over and not done, at most; 0: no bound", "0", false, 0,
        1e9},
       [](const Value& v, HandOff& h, const BindContext&) { h.buffer = whole<std::uint32_t>(v); }},
      {choice_key("overflow",
                  "when it is full: pause consumption while another poll might not fit, or let records go",
                  "\"pause\"", {"pause", "drop-oldest", "drop-newest"}),
       [](const Value& v, HandOff& h, const BindContext&) {
         if (v.text == "drop-oldest") h.overflow = HandOff::Overflow::drop_oldest;
         if (v.text == "drop-newest") h.overflow = HandOff::Overflow::drop_newest;
       }},
  };
  return rows;
}

namespace {

const std::vector<Row<models::BreakerOptions>>& breaker_rows() {
  using models::BreakerOptions;
  static const std::vector<Row<BreakerOptions>> rows{
      {{"failure_rate", KeyType::share, "of the last calls, from which on it opens", "0.5"},
       [](const Value& v, BreakerOptions& b, const BindContext&) { b.failure_rate = v.number; }},
      {{"window", KeyType::integer, "so many calls are the last", "100", false, 1, 1e6},
       [](const Value& v, BreakerOptions& b, const BindContext&) { b.window = whole<std::uint32_t>(v); }},
      {{"min_calls", KeyType::integer, "it does not open before so many", "100", false, 1, 1e6},
       [](const Value& v, BreakerOptions& b, const BindContext&) { b.min_calls = whole<std::uint32_t>(v); }},
      {{"open", KeyType::duration, "how long it stays open", "\"60s\""},
       [](const Value& v, BreakerOptions& b, const BindContext&) { b.open = parse_duration(v.text); }},
      {{"half_open_calls", KeyType::integer, "are let through then, and decide", "10", false, 1, 1e6},
       [](const Value& v, BreakerOptions& b, const BindContext&) {
         b.half_open_calls = whole<std::uint32_t>(v);
       }},
      {choice_key("when_open", "pause consumption, so that records wait; or have calls fail at once",
                  "\"pause\"", {"pause", "fail"}),
       [](const Value& v, BreakerOptions& b, const BindContext&) { b.pauses = v.text == "pause"; }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<models::CallOptions>>& call_rows() {
  using models::CallOptions;
  static const Section breaker =
      section_of("a circuit breaker of each member (Resilience4j's, with its defaults)", breaker_rows());
  static const std::vector<Row<CallOptions>> rows{
      {{"to", KeyType::name, "a dependency", "", true},
       [](const Value& v, CallOptions& c, const BindContext&) { c.to = v.text; }},
      {{"timeout", KeyType::duration, "of each attempt", "\"1s\""},
       [](const Value& v, CallOptions& c, const BindContext&) { c.timeout = parse_duration(v.text); }},
      {{"attempts", KeyType::integer, "at most; 0: for ever", "3", false, 0, 1e6},
       [](const Value& v, CallOptions& c, const BindContext&) { c.attempts = whole<std::uint32_t>(v); }},
      {{"backoff", KeyType::duration, "before the second attempt", "\"500ms\""},
       [](const Value& v, CallOptions& c, const BindContext&) { c.backoff = parse_duration(v.text); }},
      {{"multiplier", KeyType::number, "from one back-off to the next", "1", false, 1, 100},
       [](const Value& v, CallOptions& c, const BindContext&) { c.multiplier = v.as_double(); }},
      {{"backoff_max", KeyType::duration, "none is longer", "\"60s\""},
       [](const Value& v, CallOptions& c, const BindContext&) { c.backoff_max = parse_duration(v.text); }},
      {{"jitter", KeyType::share, "each back-off is drawn within so much of itself to either side", "0"},
       [](const Value& v, CallOptions& c, const BindContext&) { c.jitter = v.number; }},
      {{"dead_letters", KeyType::name, "topic for records whose attempts are used up; left out unless given"},
       [](const Value& v, CallOptions& c, const BindContext&) { c.dead_letters = v.text; }},
      {choice_key("then", "of groups that read queues: what becomes of a message whose attempts are used up",
                  "\"skip\"", {"skip", "release", "reject"}),
       [](const Value& v, CallOptions& c, const BindContext&) {
         using Then = models::PoisonOptions::Then;
         if (v.text == "release") c.then = Then::release;
         if (v.text == "reject") c.then = Then::reject;
       }},
      {table_key("breaker", "a circuit breaker; none unless given", breaker),
       [](const Value& v, CallOptions& c, const BindContext& context) {
         bind_rows(v, breaker_rows(), c.breaker.emplace(), context);
       }},
  };
  return rows;
}

const std::vector<Row<models::DependencyOptions>>& dependency_rows() {
  using models::DependencyOptions;
  static const std::vector<Row<DependencyOptions>> rows{
      {{"name", KeyType::name, "by which groups and faults know it", "", true},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.name = v.text; }},
      {draw_key("service", "time to work on one call", "\"0s\"", Draws::durations),
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.service = durations(v); }},
      {{"concurrency", KeyType::integer, "calls that are worked on at a time", "1", false, 1, 100'000},
       [](const Value& v, DependencyOptions& d, const BindContext&) {
         d.concurrency = whole<std::uint32_t>(v);
       }},
      {{"queue", KeyType::integer, "calls that wait, at most; more are refused", "1000", false, 0, 1e9},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.queue = whole<std::uint32_t>(v); }},
      {{"latency", KeyType::duration, "of its callers, one way", "\"0s\""},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.latency = parse_duration(v.text); }},
      {{"rack", KeyType::name, "of its host"},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.rack = v.text; }},
      {{"zone", KeyType::name, "of its host"},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.zone = v.text; }},
      {{"region", KeyType::name, "of its host"},
       [](const Value& v, DependencyOptions& d, const BindContext&) { d.region = v.text; }},
  };
  return rows;
}

namespace {

using models::AdmissionOptions;

const std::vector<Row<AdmissionOptions::Shed>>& shed_rows() {
  using Shed = AdmissionOptions::Shed;
  static const std::vector<Row<Shed>> rows{
      {{"group", KeyType::name, "whose lag is looked at", "", true},
       [](const Value& v, Shed& s, const BindContext&) { s.group = v.text; }},
      {{"above", KeyType::integer, "records: all is refused once the lag is higher", "", true, 0, 1e15},
       [](const Value& v, Shed& s, const BindContext&) { s.above = v.integer; }},
      {{"below", KeyType::integer, "and nothing any more once it is lower", "", true, 0, 1e15},
       [](const Value& v, Shed& s, const BindContext&) { s.below = v.integer; }},
      {{"every", KeyType::duration, "how often it is looked at", "\"1s\""},
       [](const Value& v, Shed& s, const BindContext&) { s.every = parse_duration(v.text); }},
  };
  return rows;
}

const std::vector<Row<AdmissionOptions::Buffer>>& buffer_rows() {
  using Buffer = AdmissionOptions::Buffer;
  static const std::vector<Row<Buffer>> rows{
      {{"messages", KeyType::integer, "that wait while send() blocks, at most", "1000", false, 1, 1e9},
       [](const Value& v, Buffer& b, const BindContext&) { b.messages = whole<std::uint32_t>(v); }},
      {choice_key(
           "overflow",
           "when it is full: whoever has a message waits, is told of a failure, or a message is dropped",
           "\"block\"", {"block", "fail", "drop-oldest", "drop-newest"}),
       [](const Value& v, Buffer& b, const BindContext&) {
         if (v.text == "fail") b.overflow = Buffer::Overflow::fail;
         if (v.text == "drop-oldest") b.overflow = Buffer::Overflow::drop_oldest;
         if (v.text == "drop-newest") b.overflow = Buffer::Overflow::drop_newest;
       }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<AdmissionOptions>>& admission_rows() {
  static const Section shed =
      section_of("messages that are refused while a group's lag is high", shed_rows());
  static const Section buffer = section_of("the application's own queue before send()", buffer_rows());
  static const std::vector<Row<AdmissionOptions>> rows{
      {{"rate", KeyType::rate, "a token bucket lets in so many messages a second; any number unless given"},
       [](const Value& v, AdmissionOptions& a, const BindContext&) { a.rate = v.number; }},
      {{"burst", KeyType::number, "messages that the bucket lets in at once", "1", false, 1, 1e12},
       [](const Value& v, AdmissionOptions& a, const BindContext&) { a.burst = v.as_double(); }},
      {table_key("shed", "what is not critical gives way while a group's lag is high", shed),
       [](const Value& v, AdmissionOptions& a, const BindContext& c) {
         a.shed = AdmissionOptions::Shed{};
         bind_rows(v, shed_rows(), *a.shed, c);
       }},
      {table_key("buffer", "messages wait in the application while send() blocks; any number unless given",
                 buffer),
       [](const Value& v, AdmissionOptions& a, const BindContext& c) {
         a.buffer = AdmissionOptions::Buffer{};
         bind_rows(v, buffer_rows(), *a.buffer, c);
       }},
  };
  return rows;
}

const std::vector<Row<models::AutoscaleOptions>>& autoscale_rows() {
  using models::AutoscaleOptions;
  static const std::vector<Row<AutoscaleOptions>> rows{
      {{"min", KeyType::integer, "members, also at the start; `members` is the most", "1", false, 1, 10'000},
       [](const Value& v, AutoscaleOptions& a, const BindContext&) { a.min = whole<std::uint32_t>(v); }},
      {{"lag_per_member", KeyType::integer, "records: so many members are wanted for a lag", "1000", false, 1,
        1e15},
       [](const Value& v, AutoscaleOptions& a, const BindContext&) { a.lag_per_member = v.integer; }},
      {{"every", KeyType::duration, "how often the lag is read", "\"15s\""},
       [](const Value& v, AutoscaleOptions& a, const BindContext&) { a.every = parse_duration(v.text); }},
      {{"up_after", KeyType::duration, "at least between a step and the next one up", "\"0s\""},
       [](const Value& v, AutoscaleOptions& a, const BindContext&) { a.up_after = parse_duration(v.text); }},
      {{"down_after", KeyType::duration, "so long must fewer have been enough", "\"300s\""},
       [](const Value& v, AutoscaleOptions& a, const BindContext&) {
         a.down_after = parse_duration(v.text);
       }},
  };
  return rows;
}

const std::vector<Row<models::AlertOptions>>& alert_rows() {
  using models::AlertOptions;
  static const std::vector<Row<AlertOptions>> rows{
      {{"group", KeyType::name, "whose lag is looked at", "", true},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.group = v.text; }},
      {{"records", KeyType::integer, "an alarm when its lag is higher; none unless given", "", false, 0,
        1e15},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.records = v.integer; }},
      {{"age", KeyType::duration, "an alarm when its oldest unprocessed record is older; none unless given"},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.age = parse_duration(v.text); }},
      {{"growth", KeyType::number, "an alarm when its lag grows by more records a second; none unless given",
        "", false, 0, 1e12},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.growth = v.as_double(); }},
      {{"window", KeyType::duration, "over which growth is taken", "\"10s\""},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.window = parse_duration(v.text); }},
      {{"for", KeyType::duration, "so long must it hold", "\"0s\""},
       [](const Value& v, AlertOptions& a, const BindContext&) { a.lasts = parse_duration(v.text); }},
  };
  return rows;
}

}  // namespace experiments
