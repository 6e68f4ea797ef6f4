#include "experiments/scenario/coherence.hpp"

#include <algorithm>
#include <set>

#include "experiments/errors.hpp"
#include "experiments/scenario/application_coherence.hpp"
#include "experiments/scenario/bridge_tables.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/creation_coherence.hpp"
#include "experiments/scenario/flow_coherence.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/poison_table.hpp"
#include "experiments/scenario/rabbitmq_coherence.hpp"
#include "experiments/scenario/schema_coherence.hpp"
#include "experiments/scenario/sns_tables.hpp"
#include "experiments/scenario/sqs_coherence.hpp"
#include "experiments/scenario/unused_keys.hpp"
#include "experiments/scenario/versions.hpp"
#include "models/faults/catalogue.hpp"

namespace experiments {
namespace {

class Coherence {
 public:
  Coherence(const Value& checked, const models::Scenario& scenario) : tree_(checked), s_(scenario) {}

  void check() const {
    times();
    if (!s_.kafka) fail("", "has no [kafka], no [rabbitmq] and no [sqs]: there is no broker to run");
    if (tree_.find("kafka") != nullptr) versions();
    names();
    topics("kafka", *s_.kafka);
    for (const models::kafka::ClusterOptions& cluster : s_.clusters)
      topics(join_path("clusters", cluster.name), cluster);
    operations();
    mirrors();
    producers();
    compaction();
    groups();
    for (const FoundMisfit& wrong : {flow_misfit(s_, tree_), application_misfit(s_), creation_misfit(s_),
                                     schema_misfit(s_), unused_key(s_, tree_), retry_misfit(s_)}) {
      if (wrong) fail(wrong->path, wrong->message);
    }
    for (std::size_t i = 0; i < s_.faults.size(); ++i) fault(i);
  }

 private:
  [[noreturn]] void fail(const std::string& path, const std::string& message) const {
    throw BadScenario(path.empty() ? tree_.place : place_of(tree_, Path::parse(path, tree_.place)), path,
                      message);
  }

  /// What the version has; and what coordination asks for.
  void versions() const {
    if (s_.kafka->zookeeper && s_.kafka->controllers > 1)
      fail("kafka.controllers", "with ZooKeeper one of the brokers is the controller");
    if (s_.kafka->zookeeper_load_per_partition > sim::Duration{} && !s_.kafka->zookeeper)
      fail("kafka.zookeeper_load_per_partition", "has no effect without coordination = \"zookeeper\"");
    const OutOfVersion wrong = out_of_version(tree_, s_);
    if (!wrong.message.empty()) fail(wrong.path, wrong.message);
  }

  void times() const {
    if (s_.duration.count() <= 0) fail("scenario.duration", "must be above 0");
    if (s_.warmup >= s_.duration) fail("scenario.warmup", "must be shorter than the duration");
    if (s_.sample.count() <= 0) fail("scenario.sample", "must be above 0");
    if (s_.duration / s_.sample > 10'000'000) fail("scenario.sample", "makes more than 10 million points");
  }

  /// They go round the brokers: a name beyond their number is of no broker.
  void racks(const std::string& path, const models::kafka::ClusterOptions& cluster) const {
    if (cluster.racks.size() > static_cast<std::size_t>(cluster.brokers))
      fail(path, "names more racks than there are brokers (" + std::to_string(cluster.brokers) + ")");
  }

  void operations() const {
    const models::kafka::ClusterOptions& kafka = *s_.kafka;
    if (kafka.config.broker_rack.find("{rack}") != std::string::npos && kafka.racks.empty())
      fail("kafka.config.broker.rack", "stands for racks that are not given: kafka.racks has them");
    racks("kafka.racks", kafka);
    for (const models::kafka::ClusterOptions& other : s_.clusters)
      racks(join_path("clusters", other.name) + ".racks", other);
    for (const models::GroupOptions& group : s_.groups) {
      if (!group.racks.empty() && !group.rack.empty())
        fail(join_path("groups", group.name) + ".racks", "goes without `rack`");
      if (group.config.client_rack.find("{rack}") != std::string::npos && group.rack.empty() &&
          group.racks.empty())
        fail(join_path("groups", group.name) + ".config.client.rack",
             "stands for a rack that is not given: `rack` of the group is");
    }
    for (const models::GroupOptions& group : s_.groups) {
      if (group.poison && group.transform)
        fail(join_path("groups", group.name) + ".poison", "is not modelled of groups that transform");
      if (group.poison && group.hand_off)
        fail(join_path("groups", group.name) + ".poison",
             "is not modelled of work that is handed to other threads");
    }
    quotas("kafka", kafka);
    for (const models::kafka::ClusterOptions& one : s_.clusters) quotas(join_path("clusters", one.name), one);
  }

  void quotas(const std::string& cluster, const models::kafka::ClusterOptions& kafka) const {
    std::set<std::string> taken;
    for (const models::kafka::UserOptions& user : kafka.users) {
      const std::string path = join_path(cluster + ".users", user.name);
      for (const std::string& client : user.clients) {
        client_exists(path + ".clients", client);
        if (!taken.insert(client).second) fail(path + ".clients", "'" + client + "' is another user, too");
      }
    }
    for (std::size_t i = 0; i < kafka.quotas.size(); ++i) {
      const models::kafka::QuotaOptions& quota = kafka.quotas[i];
      const std::string client = quota.client.value_or("");
      if (!client.empty()) client_exists(join_path(cluster + ".quotas", client) + ".name", client);
      const bool known = std::any_of(kafka.users.begin(), kafka.users.end(),
                                     [&quota](const auto& user) { return user.name == quota.user; });
      if (quota.user && !quota.user->empty() && !known)
        fail(cluster + ".quotas", "'" + *quota.user + "' is none of " + cluster + ".users");
    }
  }
  void client_exists(const std::string& path, const std::string& name) const {
    if (producer_of(name) != nullptr || group_of(name) != nullptr) return;
    std::vector<std::string_view> clients;
    for (const models::ProducerOptions& producer : s_.producers) clients.push_back(producer.name);
    for (const models::GroupOptions& group : s_.groups) clients.push_back(group.name);
    fail(path, "'" + name + "' is no producer or group" + hint(name, clients));
  }

  /// The cluster of that name, which `path` names.
  const models::kafka::ClusterOptions& cluster(const std::string& path, const std::string& name) const {
    if (name == s_.kafka->name) return *s_.kafka;
    std::vector<std::string_view> known{s_.kafka->name};
    for (const models::kafka::ClusterOptions& other : s_.clusters) {
      if (other.name == name) return other;
      known.push_back(other.name);
    }
    fail(path, "there is no cluster '" + name + "'" + hint(name, known));
  }

  void topics(const std::string& at, const models::kafka::ClusterOptions& kafka) const {
    config(at, models::kafka::validate(kafka.config));
    const std::string brokers = std::to_string(kafka.brokers) + (kafka.brokers == 1 ? " broker" : " brokers");
    const std::int32_t copies = kafka.config.offsets_topic_replication_factor.value_or(0);
    if (copies > kafka.brokers) {
      // AutoTopicCreationManager asks for it, StripedReplicaPlacer throws InvalidReplicationFactorException.
      fail(at + ".config.offsets.topic.replication.factor",
           std::to_string(copies) + " replicas do not fit on " + brokers +
               ": __consumer_offsets could not be created, and no group would find its coordinator");
    }
    for (const models::kafka::TopicOptions& topic : kafka.topics) {
      const std::string path = join_path(at + ".topics", topic.name);
      if (topic.name == "__consumer_offsets" || topic.name == "__transaction_state")
        fail(path + ".name",
             "is a topic of Kafka's own, which every cluster has; [kafka.config] has its settings");
      if (topic.replication_factor > kafka.brokers) {
        fail(path + ".replication-factor",
             std::to_string(topic.replication_factor) + " replicas do not fit on " + brokers);
      }
      config(path, models::kafka::validate(topic.config, kafka.config));
      if (topic.assignment.empty()) continue;
      if (topic.assignment.size() != static_cast<std::size_t>(topic.partitions)) {
        fail(path + ".assignment",
             "must have a list for each of the " + std::to_string(topic.partitions) + " partitions");
      }
      for (const std::vector<std::int32_t>& replicas : topic.assignment) {
        const std::set<std::int32_t> distinct(replicas.begin(), replicas.end());
        if (replicas.size() != static_cast<std::size_t>(topic.replication_factor) ||
            distinct.size() != replicas.size()) {
          fail(path + ".assignment", "each list must name replication-factor different brokers");
        }
        if (*distinct.rbegin() >= kafka.brokers)
          fail(path + ".assignment", "names a broker beyond the " + brokers);
      }
    }
  }

  void names() const {
    std::set<std::string> taken{"kafka", "controller", "zookeeper", "remote-storage"};
    if (!s_.subjects.empty()) taken.insert("schema-registry");
    const auto take = [&](const std::string& array, const std::string& name) {
      const std::string path = join_path(array, name);
      if (name.find('/') != std::string::npos)
        fail(path + ".name", "must hold no slash: name/0 are its instances");
      if (!taken.insert(name).second) fail(path + ".name", "'" + name + "' is the name of something else");
    };
    for (const models::ProducerOptions& p : s_.producers) take("producers", p.name);
    for (const models::GroupOptions& g : s_.groups) take("groups", g.name);
    for (const models::DependencyOptions& d : s_.dependencies) take("dependencies", d.name);
    for (const models::kafka::MirrorOptions& m : s_.mirrors) take("mirrors", m.name);
    for (const models::DatabaseOptions& d : s_.databases) take("databases", d.name);
    for (const models::ServiceOptions& s : s_.services) take("services", s.name);
    for (const models::RelayOptions& r : s_.relays) take("relays", r.name);
    for (const models::GatewayOptions& g : s_.gateways) take("gateways", g.name);
    for (const models::kafka::ClusterOptions& c : s_.clusters) take("clusters", c.name);
    for (const models::kafka::TopicOptions& t : s_.kafka->topics) take("kafka.topics", t.name);
    for (const models::kafka::ClusterOptions& c : s_.clusters) {
      std::set<std::string> topics;
      for (const models::kafka::TopicOptions& t : c.topics) {
        if (!topics.insert(t.name).second)
          fail(join_path(join_path("clusters", c.name) + ".topics", t.name) + ".name", "is given twice");
      }
    }
  }

  void mirrors() const {
    for (const models::kafka::MirrorOptions& m : s_.mirrors) {
      const std::string path = join_path("mirrors", m.name);
      const models::kafka::ClusterOptions& from = cluster(path + ".from", m.from);
      const models::kafka::ClusterOptions& to = cluster(path + ".to", m.to);
      if (&from == &to) fail(path + ".to", "is where the records come from");
      if (m.topics.empty()) fail(path + ".topics", "must name at least one topic");
      if (m.config.replication_factor > to.brokers)
        fail(path + ".config.replication.factor", std::to_string(m.config.replication_factor) +
                                                      " replicas do not fit on the brokers of '" + m.to +
                                                      "'");
      for (const std::string& name : m.topics) {
        topic_exists(path + ".topics", name, from);
        for (const models::kafka::MirrorOptions& other : s_.mirrors) {
          if (other.to == m.from && other.from == m.to && m.config.identity_policy)
            fail(path + ".config.replication.policy.class",
                 "IdentityReplicationPolicy copies records back and forth for ever between '" + m.from +
                     "' and '" + m.to + "'");
        }
        const auto own = std::find_if(to.topics.begin(), to.topics.end(),
                                      [&](const auto& topic) { return topic.name == m.remote_topic(name); });
        const auto source = std::find_if(from.topics.begin(), from.topics.end(),
                                         [&](const auto& topic) { return topic.name == name; });
        if (own != to.topics.end() && own->partitions != source->partitions)
          fail(path + ".topics", "'" + own->name + "' has another number of partitions at '" + m.to + "'");
      }
    }
  }

  /// Where an application goes when its instances are given up.
  void failover(const std::string& path, const std::optional<models::FailoverOptions>& to) const {
    if (to) cluster(path + ".failover.cluster", to->cluster);
  }

  void topic_exists(const std::string& path, const std::string& name,
                    const models::kafka::ClusterOptions& cluster) const {
    std::vector<std::string_view> known;
    for (const models::kafka::TopicOptions& topic : cluster.topics) known.push_back(topic.name);
    std::vector<std::string> copies;
    for (const models::kafka::MirrorOptions& m : s_.mirrors) {
      for (const std::string& topic : m.topics) {
        if (m.to == cluster.name) copies.push_back(m.remote_topic(topic));
      }
    }
    known.insert(known.end(), copies.begin(), copies.end());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail(path, "there is no topic '" + name + "'" + hint(name, known));
    }
  }

  void config(const std::string& element, const std::optional<models::kafka::ConfigError>& error) const {
    if (error) fail(element + ".config." + error->key, error->message);
  }

  void producers() const {
    for (const models::ProducerOptions& p : s_.producers) {
      const std::string path = join_path("producers", p.name);
      const models::kafka::ClusterOptions& at = cluster(path + ".cluster", p.cluster);
      topic_exists(path + ".to", p.to, at);
      failover(path, p.failover);
      if (p.failover) topic_exists(path + ".to", p.to, cluster(path, p.failover->cluster));
      if (p.resend_after_restart && p.closed_loop)
        fail(path + ".resend_after_restart", "does not go with a closed loop, which a restart begins anew");
      config(path, models::kafka::validate(p.config));
      same_keys(path, p);
      if (p.transactions && p.transactions->every.count() <= 0)
        fail(path + ".transactions.every", "must be above 0");
      in_transactions(path, p.config, p.transactions.has_value(), "`transactions`", at);
    }
  }

  void same_keys(const std::string& path, const models::ProducerOptions& p) const {
    if (p.same_keys_as.empty()) return;
    const auto other =
        std::find_if(s_.producers.begin(), s_.producers.end(),
                     [&p](const models::ProducerOptions& o) { return o.name == p.same_keys_as; });
    if (other == s_.producers.end() || &*other >= &p)
      fail(path + ".same_keys_as", "must name a producer that stands before this one");
    if (other->keys.prefix != p.keys.prefix || other->keys.count == 0 || p.keys.count == 0)
      fail(path + ".same_keys_as", "needs keys of one prefix on both");
  }

  models::kafka::CleanupPolicy policy(const std::string& topic) const {
    for (const models::kafka::TopicOptions& t : s_.kafka->topics) {
      if (t.name == topic)
        return t.config.compaction.cleanup_policy.value_or(s_.kafka->config.log_cleanup_policy);
    }
    return {};
  }
  bool compacted(const std::string& topic) const { return policy(topic).compacts; }
  bool deletes(const std::string& topic) const { return policy(topic).deletes; }

  void compaction() const {
    const models::kafka::CleanerConfig& cleaner = s_.kafka->config.log_cleaner;
    for (const models::kafka::TopicOptions& t : s_.kafka->topics) {
      // LogConfig.validateValues
      const models::kafka::CompactionConfig& c = t.config.compaction;
      if (c.min_compaction_lag.value_or(cleaner.min_compaction_lag) >
          c.max_compaction_lag.value_or(cleaner.max_compaction_lag))
        fail(join_path("kafka.topics", t.name), "has min.compaction.lag.ms above max.compaction.lag.ms");
    }
    for (const models::ProducerOptions& p : s_.producers) {
      const std::string path = join_path("producers", p.name);
      if (p.tombstones > 0 && !p.keys.in_records())
        fail(path + ".tombstones", "needs keys: a message without a value deletes its key");
      for (const models::ProducerOptions& other : s_.producers) {
        if (other.to != p.to || other.keys.prefix == p.keys.prefix || !compacted(p.to)) continue;
        if (p.keys.in_records() && other.keys.in_records())
          fail(path + ".keys", "has another prefix than '" + other.name +
                                   "': producers of a compacted topic name their keys alike");
      }
    }
  }

  void groups() const {
    for (const models::GroupOptions& g : s_.groups) {
      const std::string path = join_path("groups", g.name);
      starts(path, g);
      if (g.topics.empty()) fail(path + ".topics", "must name at least one topic");
      const models::kafka::ClusterOptions& at = cluster(path + ".cluster", g.cluster);
      failover(path, g.failover);
      if (g.failover && g.transform) fail(path + ".failover", "is not modelled of groups that transform");
      for (const std::string& topic : g.topics) topic_exists(path + ".topics", topic, at);
      if (std::set<std::string>(g.topics.begin(), g.topics.end()).size() != g.topics.size()) {
        fail(path + ".topics", "names a topic twice");
      }
      if (g.type == models::GroupType::share) {
        if (g.failover) fail(path + ".failover", "is not modelled of share groups");
        readable(path, g, at);
        config(path, models::kafka::validate_share(g.config, at.config));
        shared(path, g);
        continue;
      }
      using Then = models::PoisonOptions::Then;
      if (g.poison && (g.poison->then == Then::release || g.poison->then == Then::reject))
        fail(path + ".poison.then", "is for groups of type = \"share\": a log takes nothing back");
      if (g.renew) fail(path + ".renew", "is for groups of type = \"share\": others have no locks");
      config(path, models::kafka::validate(g.config, at.config));
      auto_commit(path, g);
      database(path, g);
      streams(path, g);
      dead_letters(path, g);
      transform(path, g);
    }
  }

  void readable(const std::string& path, const models::GroupOptions& g,
                const models::kafka::ClusterOptions& at) const {
    for (const models::kafka::TopicOptions& t : at.topics) {
      if (std::count(g.topics.begin(), g.topics.end(), t.name) == 0) continue;
      if (t.config.tiers.remote_storage_enable)
        fail(path + ".topics", "reading from remote storage is not modelled of share groups");
    }
  }

  void shared(const std::string& path, const models::GroupOptions& g) const {
    if (g.hand_off) fail(path + ".hand_off", "is not modelled of share groups");
    if (g.transform) fail(path + ".transform", "is not modelled of share groups");
    if (g.commit != models::CommitMode::automatic && g.commit != models::CommitMode::after_processing)
      fail(path + ".commit", "of a share group is \"auto\" (with the next poll) or \"after-processing\"");
    using Then = models::PoisonOptions::Then;
    const bool says = g.poison && (g.poison->then == Then::release || g.poison->then == Then::reject);
    if (g.renew && !g.config.explicit_acknowledgement)
      fail(path + ".renew", "needs share.acknowledgement.mode=explicit");
    if (g.renew && g.renew->count() <= 0) fail(path + ".renew", "must be above 0");
    if (says && !g.config.explicit_acknowledgement)
      fail(path + ".poison.then", "needs share.acknowledgement.mode=explicit: else all is accepted");
    if (g.members > static_cast<std::uint32_t>(s_.kafka->config.group_share_max_size))
      fail(path + ".members", "are more than group.share.max.size allows");
  }

  void starts(const std::string& path, const models::GroupOptions& g) const {
    if (g.start >= s_.duration)
      fail(path + ".start",
           "is not before the end of the run's duration: the group would read nothing while it lasts");
    if (g.members > 1 && g.stagger > (s_.duration - g.start - sim::Duration{1}) / (g.members - 1))
      fail(path + ".stagger", "starts the last member after the end of the run's duration");
  }

  void dead_letters(const std::string& path, const models::GroupOptions& g) const {
    if (g.calls && !g.calls->dead_letters.empty() && compacted(g.calls->dead_letters))
      fail(path + ".calls.dead_letters", "is compacted: dead letters have no key, and it takes none without");
  }

  void streams(const std::string& path, const models::GroupOptions& g) const {
    if (!g.streams) return;
    for (const char* key : {"commit", "transform", "hand_off", "poison"}) {
      if (look_up(tree_, Path::parse(path + "." + key, tree_.place)) != nullptr)
        fail(path + "." + key, "is Streams' own: it does not go with `streams`");
    }
    const models::kafka::ClusterOptions& kafka = cluster(path, g.cluster);
    topic_exists(path + ".streams.changelog", g.transform->to, kafka);
    if (compacted(g.transform->to))
      fail(path + ".streams.changelog",
           "is compacted, which is not modelled of a changelog: stores are restored from all their changes");
    const auto partitions = [&kafka](const std::string& topic) {
      const auto at = std::find_if(kafka.topics.begin(), kafka.topics.end(),
                                   [&topic](const auto& t) { return t.name == topic; });
      return at == kafka.topics.end() ? 0 : at->partitions;
    };
    for (const std::string& topic : g.topics) {
      if (partitions(topic) > partitions(g.transform->to))
        fail(path + ".streams.changelog",
             "has fewer partitions than '" + topic + "': each task's changes have one of their own");
    }
    // StreamsConfig.verifyEOSTransactionTimeoutCompatibility
    const models::kafka::StreamsConfig& streams = g.streams->config;
    if (streams.exactly_once && streams.interval() > g.transform->config.transaction_timeout)
      fail(path + ".streams.config.commit.interval.ms",
           "is above the producers' transaction.timeout.ms: each would time out");
    if (g.streams->windows) windows(path, g);
  }

  void windows(const std::string& path, const models::GroupOptions& g) const {
    const models::WindowOptions& w = *g.streams->windows;
    const std::string at = path + ".streams.windows";
    if (w.size < std::chrono::milliseconds{1}) fail(at + ".size", "must be at least a millisecond");
    // WindowStoreMaterializer
    if (w.retention && *w.retention < w.size + w.grace)
      fail(at + ".retention", "must be no smaller than size and grace together");
    const models::kafka::ClusterOptions& kafka = cluster(path, g.cluster);
    for (const models::kafka::TopicOptions& t : kafka.topics) {
      if (std::count(g.topics.begin(), g.topics.end(), t.name) == 0) continue;
      if (t.config.message_timestamp.log_append_time.value_or(
              kafka.config.log_message_timestamp.log_append_time.value_or(false)))
        fail(at, "go by the producers' timestamps: LogAppendTime is not modelled of their topics");
    }
    for (const models::ProducerOptions& p : s_.producers) {
      if (p.cluster == g.cluster && std::count(g.topics.begin(), g.topics.end(), p.to) > 0 &&
          !p.keys.in_records())
        fail(at, "count by key, and what '" + p.name + "' sends has none");
    }
    for (const models::GroupOptions& other : s_.groups) {
      if (other.transform && std::count(g.topics.begin(), g.topics.end(), other.transform->to) > 0)
        fail(at, "count by key, and what '" + other.name + "' makes has none");
    }
    for (const models::kafka::MirrorOptions& m : s_.mirrors) {
      if (m.to == g.cluster) fail(at, "are not modelled where a mirror writes");
    }
  }

  void transform(const std::string& path, const models::GroupOptions& g) const {
    const bool in_transaction = g.commit == models::CommitMode::in_transaction;
    if (in_transaction && !g.transform)
      fail(path + ".commit",
           "in a transaction goes with `transform`: there is nothing else to be part of it");
    if (!g.transform) return;
    const models::kafka::ClusterOptions& at = cluster(path, g.cluster);
    topic_exists(path + ".transform.to", g.transform->to, at);
    if (g.poison)
      fail(path + ".transform", "does not go with poison: what was left out would be transformed");
    if (g.hand_off)
      fail(path + ".transform", "does not go with hand_off: a poll's output is sent when all is done");
    if (g.commit == models::CommitMode::each_record)
      fail(path + ".commit", "of each record does not go with transform: a poll's output is sent at once");
    config(path + ".transform", models::kafka::validate(g.transform->config));
    in_transactions(path + ".transform", g.transform->config, in_transaction, "commit = \"in-transaction\"",
                    at);
    if (!in_transaction && g.transform->aborts > 0)
      fail(path + ".transform.aborts", "needs commit = \"in-transaction\": there is nothing to abort");
  }

  /// What a producer's configuration must be to take part in transactions, or not to. `by`: what makes it do so.
  void in_transactions(const std::string& path, const models::kafka::ProducerConfig& c, bool takes_part,
                       const std::string& by, const models::kafka::ClusterOptions& cluster) const {
    if (!takes_part) {
      if (!c.transactional_id.empty()) fail(path + ".config.transactional.id", "needs " + by);
      return;
    }
    // KafkaProducer.configureTransactionState
    if (!c.enable_idempotence) fail(path, "in transactions needs acks = \"all\" and enable.idempotence=true");
    const models::kafka::BrokerConfig& broker = cluster.config;
    if (c.transaction_timeout > broker.transaction_max_timeout)
      fail(path + ".config.transaction.timeout.ms",
           "is above the broker's transaction.max.timeout.ms: INVALID_TRANSACTION_TIMEOUT");
    const std::int32_t copies =
        broker.transaction_state_log_replication_factor.value_or(std::min(3, cluster.brokers));
    if (copies > cluster.brokers)
      fail((cluster.name == "kafka" ? "kafka" : join_path("clusters", cluster.name)) +
               ".config.transaction.state.log.replication.factor",
           "does not fit on the brokers: __transaction_state could not be created");
  }

  /// What an application keeps in its own database, or marks as done.
  void database(const std::string& path, const models::GroupOptions& g) const {
    const bool in_two = g.effect && (g.effect->processed_ids == models::ProcessedIds::after_effect ||
                                     g.effect->processed_ids == models::ProcessedIds::before_effect);
    const bool with_effect = g.commit == models::CommitMode::with_effect;
    if (with_effect && !g.effect)
      fail(path + ".commit", "with the effect needs `effect`: there is nothing else to commit it with");
    if (with_effect && (g.effect->idempotency_key || g.effect->processed_ids != models::ProcessedIds::none))
      fail(path + ".effect", "is found by its offset already where that is committed with it");
    if (g.hand_off && (with_effect || in_two))
      fail(path + ".hand_off", "is not modelled of work that a second transaction or the offset goes with");
    if (g.poison && with_effect)
      fail(path + ".poison", "is not modelled of offsets in a database: what was left out would stay there");
    if (g.commit == models::CommitMode::stored && (!g.hand_off || g.hand_off->threads != 1 || g.transform))
      fail(path + ".commit",
           "of stored offsets is modelled of work handed to one thread: hand_off = { threads = 1 }");
  }

  void auto_commit(const std::string& path, const models::GroupOptions& g) const {
    const std::string key = path + ".config.enable.auto.commit";
    const Value* given = look_up(tree_, Path::parse(key, tree_.place));
    if (given != nullptr && given->boolean != g.config.enable_auto_commit) {
      fail(key,
           "contradicts the group's `commit`: it is true for \"auto\" and \"stored\", and false for all "
           "others");
    }
    const std::string& instance = g.config.group_instance_id;
    if (g.members > 1 && !instance.empty() && instance.find("{index}") == std::string::npos) {
      fail(path + ".config.group.instance.id", "must hold {index}, so that each of the members has its own");
    }
  }

  void fault(std::size_t index) const {
    const models::FaultSpec& f = s_.faults[index];
    const std::string path = f.name.empty() ? "faults." + std::to_string(index) : join_path("faults", f.name);
    const int given = (f.at ? 1 : 0) + (f.every ? 1 : 0) + (f.when ? 1 : 0);
    if (given != 1) fail(path, "needs exactly one of at, rate and when");
    if (f.at && *f.at >= s_.duration) fail(path + ".at", "is not before the end of the run's duration");
    if (f.spread && !f.at) fail(path + ".spread", "goes with `at`: rate and when have no moment to spread");
    if (f.spread && f.at && *f.at + *f.spread > s_.duration)
      fail(path + ".spread", "reaches beyond the end of the run's duration");
    const models::FaultInfo* info = models::find_fault(f.kind);
    if (info == nullptr) fail(path + ".kind", "'" + f.kind + "' is no fault");
    std::vector<std::string_view> known{"kind"};
    for (const sim::ParameterInfo& p : models::common_fault_parameters()) known.push_back(p.name);
    for (const sim::ParameterInfo& p : info->entry.parameters) known.push_back(p.name);
    effective(f, path);
    const Value& table = tree_.find("faults")->items[index];
    for (const auto& [key, value] : table.members) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        throw BadScenario(value.key_place, join_path(path, key),
                          "a fault of kind '" + f.kind + "' has no such key" + hint(key, known));
      }
    }
  }

  /// A fault that would strike without effect, or never, tests nothing.
  void effective(const models::FaultSpec& f, const std::string& path) const {
    if (f.kind == "delete-records" && !deletes(f.target))
      fail(path + ".target",
           "keeps its records (cleanup.policy=compact): Kafka refuses to delete any, POLICY_VIOLATION");
    if (!f.when) return;
    using models::Step;
    const Step step = f.when->step;
    const std::string& subject = f.when->subject.empty() ? f.target : f.when->subject;
    const auto never = [&](const std::string& why) {
      fail(path + ".when.step", "never happens at '" + subject + "': " + why);
    };
    const models::GroupOptions* const group = group_of(subject);
    if (group != nullptr && step == Step::effect_applied && !group->effect)
      never("the group '" + group->name + "' has no `effect`");
    if (group != nullptr && step == Step::id_recorded &&
        (!group->effect || group->effect->processed_ids != models::ProcessedIds::before_effect))
      never("the group '" + group->name + "' has no effect with processed_ids = \"before-effect\"");
    if (group != nullptr && step == Step::acknowledged && !group->transform)
      never("the group '" + group->name + "' has no `transform`");
    const bool in_transaction =
        group != nullptr ? group->commit == models::CommitMode::in_transaction : transactions_used();
    const bool of_transactions = step == Step::offsets_added || step == Step::end_txn_sent ||
                                 step == Step::transaction_ended || step == Step::transaction_prepared;
    if (of_transactions && !in_transaction) never("it takes part in no transaction");
    if ((step == Step::commit_sent || step == Step::committed) && group != nullptr &&
        group->commit == models::CommitMode::with_effect)
      never("offsets are committed in the application's database");
    if ((step == Step::commit_sent || step == Step::committed) && group != nullptr &&
        group->type == models::GroupType::share)
      never("a share group commits no offsets");
    if ((step == Step::commit_sent || step == Step::committed) && group != nullptr && in_transaction)
      never("offsets are committed in transactions, by its producer");
  }

  bool transactions_used() const {
    return std::any_of(s_.groups.begin(), s_.groups.end(),
                       [](const models::GroupOptions& g) {
                         return g.commit == models::CommitMode::in_transaction;
                       }) ||
           std::any_of(s_.producers.begin(), s_.producers.end(),
                       [](const models::ProducerOptions& p) { return p.transactions.has_value(); });
  }

  /// The producer or group that a node's name is of: "billing/1", "billing/*", "shop".
  template <class Options>
  static const Options* owner_of(const std::string& node, const std::vector<Options>& all) {
    const std::string name = node.substr(0, node.find('/'));
    const auto at = std::find_if(all.begin(), all.end(), [&](const Options& o) { return o.name == name; });
    return at == all.end() ? nullptr : &*at;
  }
  const models::ProducerOptions* producer_of(const std::string& node) const {
    return owner_of(node, s_.producers);
  }
  const models::GroupOptions* group_of(const std::string& node) const { return owner_of(node, s_.groups); }

  const Value& tree_;
  const models::Scenario& s_;
};

}  // namespace

void check_coherence(const Value& checked, const models::Scenario& scenario) {
  const auto judge = [&checked](const FoundMisfit& wrong) {
    if (wrong)
      throw BadScenario(place_of(checked, Path::parse(wrong->path, checked.place)), wrong->path,
                        wrong->message);
  };
  judge(bridge_misfit(checked, scenario));
  if (!scenario.rabbitmq && !scenario.sqs && !scenario.sns) return Coherence(checked, scenario).check();
  // Each family's rules, and then what is Kafka's.
  models::Scenario rest = scenario;
  if (rest.rabbitmq) {
    judge(rabbitmq_misfit(checked, rest));
    rest = without_rabbitmq(std::move(rest));
  }
  // SNS brings messages to queues of SQS, which looks at that.
  if (rest.sns) judge(sns_misfit(checked, rest));
  if (rest.sqs) judge(sqs_misfit(checked, rest));
  if (rest.sns) rest = without_sns(std::move(rest));
  if (rest.sqs) rest = without_sqs(std::move(rest));
  Coherence(checked, rest).check();
}

}  // namespace experiments
