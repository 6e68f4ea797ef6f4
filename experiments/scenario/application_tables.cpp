#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/key_tables.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::DatabaseOptions;
using models::OwnReadOptions;
using models::Publishing;
using models::ReactionOptions;
using models::RelayKind;
using models::RelayOptions;
using models::SagaOptions;
using models::ServiceOptions;

Publishing publishing(const std::string& name) {
  if (name == "outbox") return Publishing::outbox;
  if (name == "after-commit") return Publishing::after_commit;
  if (name == "before-commit") return Publishing::before_commit;
  if (name == "two-phase-commit") return Publishing::two_phase;
  return Publishing::none;
}

RelayKind relay_kind(const std::string& name) {
  if (name == "polling-by-id") return RelayKind::polling_by_id;
  if (name == "capture") return RelayKind::capture;
  return RelayKind::polling;
}

/// Where its host is.
template <class Options>
void add_location(std::vector<Row<Options>>& rows) {
  rows.push_back({{"rack", KeyType::name, "of its hosts"},
                  [](const Value& v, Options& o, const BindContext&) { o.rack = v.text; }});
  rows.push_back({{"zone", KeyType::name, "of its hosts"},
                  [](const Value& v, Options& o, const BindContext&) { o.zone = v.text; }});
  rows.push_back({{"region", KeyType::name, "of its hosts"},
                  [](const Value& v, Options& o, const BindContext&) { o.region = v.text; }});
}

template <class Options>
std::vector<Row<Options>> with_location(std::vector<Row<Options>> rows) {
  add_location(rows);
  return rows;
}

const std::vector<Row<ReactionOptions>>& reaction_rows() {
  static const std::vector<Row<ReactionOptions>> rows{
      unbound<ReactionOptions>({"name", KeyType::name, "by which paths know it"}),
      {{"on", KeyType::name, "type of the fact that an event says", "", true},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.on = v.text; }},
      {{"then", KeyType::name,
        "type of the fact that comes of it; unless given the event is taken into a view"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.then = v.text; }},
      {{"fails", KeyType::share, "in which `otherwise` comes of it", "0"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.fails = v.number; }},
      {{"otherwise", KeyType::name, "type of that fact; nothing unless given"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.otherwise = v.text; }},
      {{"after", KeyType::distribution, "later, by a timer in the database; at once unless given"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.after = durations(v); }},
      {{"unless", KeyType::names, "not if the database has one of these facts of the same aggregate"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.unless = names(v); }},
      {{"needs", KeyType::names, "only if it has all of these"},
       [](const Value& v, ReactionOptions& r, const BindContext&) { r.needs = names(v); }},
  };
  return rows;
}

const std::vector<Row<OwnReadOptions>>& own_read_rows() {
  static const std::vector<Row<OwnReadOptions>> rows{
      {{"view", KeyType::name, "a service that takes events into a view", "", true},
       [](const Value& v, OwnReadOptions& r, const BindContext&) { r.view = v.text; }},
      {draw_key("after", "from the answer to the query", "\"0s\"", Draws::durations),
       [](const Value& v, OwnReadOptions& r, const BindContext&) { r.after = durations(v); }},
  };
  return rows;
}

const std::vector<Row<ServiceOptions>>& consumer_rows() {
  static const std::vector<Row<ServiceOptions>> rows{
      {config_key("consumer settings by Kafka's names", models::kafka::KeyScope::consumer),
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.consumer = bind_kafka_config<models::kafka::ConsumerConfig>(v);
       }},
  };
  return rows;
}

const std::vector<Row<SagaOptions::Undo>>& undo_rows() {
  using Undo = SagaOptions::Undo;
  static const std::vector<Row<Undo>> rows{
      {{"fact", KeyType::name, "type of a fact", "", true},
       [](const Value& v, Undo& u, const BindContext&) { u.fact = v.text; }},
      {{"by", KeyType::name, "type of the fact that undoes it", "", true},
       [](const Value& v, Undo& u, const BindContext&) { u.by = v.text; }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<DatabaseOptions>>& database_rows() {
  static const std::vector<Row<DatabaseOptions>> rows = with_location<DatabaseOptions>({
      {{"name", KeyType::name, "also of its host", "", true},
       [](const Value& v, DatabaseOptions& d, const BindContext&) { d.name = v.text; }},
      {draw_key("transaction",
                "from a transaction's first statement, by which its row gets an id, to its commit", "\"1ms\"",
                Draws::durations),
       [](const Value& v, DatabaseOptions& d, const BindContext&) { d.transaction = durations(v); }},
      {draw_key("query", "of a relay, or of a reader of a view", "\"1ms\"", Draws::durations),
       [](const Value& v, DatabaseOptions& d, const BindContext&) { d.query = durations(v); }},
      {{"in_doubt_most", KeyType::duration,
        "after which it aborts by itself what it has voted for in a two-phase commit (a heuristic decision); "
        "never "
        "unless given"},
       [](const Value& v, DatabaseOptions& d, const BindContext&) {
         d.in_doubt_most = parse_duration(v.text);
       }},
  });
  return rows;
}

const std::vector<Row<ServiceOptions>>& application_service_rows() {
  static const Section reaction = section_of("what a service does upon an event", reaction_rows());
  static const Section own_read = section_of("whoever got an answer reads a view", own_read_rows());
  static const Section consumer = section_of("the consumers that read its topics", consumer_rows());
  static const std::vector<Row<ServiceOptions>> rows = with_location<ServiceOptions>({
      {{"name", KeyType::name,
        "also the group of one that reads topics; its instances are then name/0, name/1 …", "", true},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.name = v.text; }},
      {{"instances", KeyType::integer, "more than one are named name/0, name/1 …, each with these arrivals",
        "1", false, 1, 1000},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.instances = whole<std::uint32_t>(v); }},
      {{"database", KeyType::name, "of its own, or shared", "", true},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.database = v.text; }},
      {{"arrivals", KeyType::arrivals, "when requests come; none unless given"},
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         models::ProducerOptions source;
         make_arrivals(v, source, c);
         s.arrivals = source.arrivals;
         s.closed_loop = source.closed_loop;
       }},
      {{"messages", KeyType::integer, "stop after so many requests of an instance; 0: go on until duration",
        "0", false, 0, 1e12},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.messages = whole<std::uint64_t>(v); }},
      {{"keys", KeyType::keys,
        "the aggregates that requests are about; each begins one of its own unless given"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.keys = make_keys(v); }},
      {{"begins", KeyType::name, "type of the fact that a request leaves"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.begins = v.text; }},
      {{"threads", KeyType::integer, "requests that an instance works on at a time", "8", false, 1, 10'000},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.threads = whole<std::uint32_t>(v); }},
      {table_key("own_read", "whoever got an answer looks for it in a view; none unless given", own_read),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         bind_rows(v, own_read_rows(), s.own_read.emplace(), c);
       }},
      {{"reads", KeyType::names, "topics; none unless given"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.reads = names(v); }},
      {tables("reactions", "to events", reaction),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, reaction_rows(), s.reactions.emplace_back(), c);
       }},
      {{"processed_ids", KeyType::boolean,
        "each event is noted in the transactions that it brings about, and left out when it comes again",
        "true"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.processed_ids = v.boolean; }},
      {{"start", KeyType::duration, "when it begins to read", "\"0s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.start = parse_duration(v.text); }},
      {table_key("consumer", "the consumers that read its topics", consumer),
       [](const Value& v, ServiceOptions& s, const BindContext& c) { bind_rows(v, consumer_rows(), s, c); }},
      {choice_key(
           "publish",
           "how its facts get into a topic: by a row of the outbox in the transaction, or sent by itself (a "
           "dual write) when the transaction was committed, or before; or into a queue that is a database, "
           "in "
           "one transaction over both; none: by a capture, or not",
           "\"none\"", {"none", "outbox", "after-commit", "before-commit", "two-phase-commit"}),
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.publish = publishing(v.text); }},
      {{"to", KeyType::name, "topic of dual writes"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.to = v.text; }},
      {{"queue", KeyType::name, "of two-phase commits: the database that holds the queue"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.queue = v.text; }},
      {draw_key("decision", "of two-phase commits: to write a decision to the service's log", "\"1ms\"",
                Draws::durations),
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.decision = durations(v); }},
      {draw_key("size", "bytes of an event", "\"200B\"", Draws::sizes),
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.size = make_distribution(v, Draws::sizes);
       }},
      {config_key("settings of its producers by Kafka's names", models::kafka::KeyScope::producer),
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.config = bind_kafka_config<models::kafka::ProducerConfig>(v);
       }},
  });
  return rows;
}

const std::vector<Row<RelayOptions>>& relay_rows() {
  static const std::vector<Row<RelayOptions>> rows = with_location<RelayOptions>({
      {{"name", KeyType::name, "more than one are named name/0, name/1 …", "", true},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.name = v.text; }},
      {{"database", KeyType::name, "that it reads", "", true},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.database = v.text; }},
      {{"to", KeyType::name, "topic", "", true},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.to = v.text; }},
      {choice_key("kind",
                  "polling: rows of the outbox that no other has locked, deleted when sent; polling-by-id: "
                  "rows above "
                  "the highest id sent; capture: the database's log, in order of commits",
                  "\"polling\"", {"polling", "polling-by-id", "capture"}),
       [](const Value& v, RelayOptions& r, const BindContext&) { r.kind = relay_kind(v.text); }},
      {{"instances", KeyType::integer, "that share the rows", "1", false, 1, 100},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.instances = whole<std::uint32_t>(v); }},
      {{"every", KeyType::duration,
        "between queries that found nothing; of a capture: between savings of its position", "\"100ms\""},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.every = parse_duration(v.text); }},
      {{"batch", KeyType::integer, "rows of a query", "100", false, 1, 100'000},
       [](const Value& v, RelayOptions& r, const BindContext&) { r.batch = whole<std::uint32_t>(v); }},
      {draw_key("size", "bytes of an event", "\"200B\"", Draws::sizes),
       [](const Value& v, RelayOptions& r, const BindContext&) {
         r.size = make_distribution(v, Draws::sizes);
       }},
      {config_key("settings of its producers by Kafka's names", models::kafka::KeyScope::producer),
       [](const Value& v, RelayOptions& r, const BindContext&) {
         r.config = bind_kafka_config<models::kafka::ProducerConfig>(v);
       }},
  });
  return rows;
}

const std::vector<Row<SagaOptions>>& saga_rows() {
  static const Section undo = section_of("what undoes what", undo_rows());
  static const std::vector<Row<SagaOptions>> rows{
      {{"succeeds", KeyType::names, "types of facts by which a saga succeeds"},
       [](const Value& v, SagaOptions& s, const BindContext&) { s.succeeds = names(v); }},
      {{"fails", KeyType::names, "types of facts by which it fails: then all must be undone"},
       [](const Value& v, SagaOptions& s, const BindContext&) { s.fails = names(v); }},
      {tables("undo", "[{ fact = \"paid\", by = \"refunded\" }]", undo),
       [](const Value& v, SagaOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, undo_rows(), s.undo.emplace_back(), c);
       }},
  };
  return rows;
}

}  // namespace experiments
