#include "models/kafka/refused_keys.hpp"

#include <array>

namespace models::kafka {

std::span<const RefusedKeys> refused_keys() {
  using S = KeyScope;
  static constexpr auto kRows = std::to_array<RefusedKeys>({
      {S::broker, "[kafka] controllers says how many there are",
       "controller.quorum.voters controller.quorum.bootstrap.servers controller.quorum.auto.join.enable "
       "controller.listener.names process.roles"},
      {S::broker, "a broker asks the controller again every 100 ms", "controller.socket.timeout.ms"},
      {S::broker, "the metadata log is kept whole, and its age is not measured",
       "metadata.log.dir "
       "metadata.log.max.snapshot.interval.ms metadata.log.max.record.bytes.between.snapshots "
       "metadata.log.segment.min.bytes metadata.log.segment.bytes metadata.log.segment.ms "
       "metadata.max.retention.bytes metadata.max.retention.ms metadata.max.idle.interval.ms"},
      {S::broker, "a feature of the cluster: [kafka.rules] eligible_leader_replicas",
       "eligible.leader.replicas.enable"},
      {S::broker, "a broker registers at once and is unfenced when it has caught up",
       "initial.broker.registration.timeout.ms server.max.startup.time.ms"},
      {S::broker, "gone since 4.0: log.message.timestamp.before.max.ms and after.max.ms say it",
       "log.message.timestamp.difference.max.ms"},
      {S::broker, "brokers speak both group protocols",
       "group.coordinator.new.enable group.coordinator.rebalance.protocols"},
      {S::broker, "the members of a group all speak one protocol", "group.consumer.migration.policy"},
      {S::broker, "an assignment takes no time of its own",
       "group.consumer.assignor.offload.enable group.coordinator.background.threads"},
      {S::broker, "groups name their topics", "group.consumer.regex.refresh.interval.ms"},
      {S::broker, "bounds of a group's own setting that is not modelled",
       "group.share.min.assignment.interval.ms group.share.max.assignment.interval.ms "
       "group.share.min.partition.max.record.locks group.share.max.partition.max.record.locks"},
      {S::broker, "a share group's state is made when it is first written",
       "group.share.initialize.retry.interval.ms"},
      {S::broker, "an assignment takes no time of its own", "group.share.assignor.offload.enable"},
      {S::broker, "the share coordinator takes no time of its own", "share.coordinator.threads"},
      {S::broker, "memory of brokers is not modelled",
       "group.coordinator.cached.buffer.max.bytes share.coordinator.cached.buffer.max.bytes"},
      {S::broker, "a write of the share coordinator waits for its replicas however long",
       "share.coordinator.write.timeout.ms"},
      {S::broker, "segments, snapshots and cleaning of __share_group_state are not modelled",
       "share.coordinator.state.topic.segment.bytes share.coordinator.state.topic.compression.codec "
       "share.coordinator.state.topic.prune.interval.ms "
       "share.coordinator.snapshot.update.records.per.snapshot "
       "share.coordinator.cold.partition.snapshot.interval.ms share.coordinator.load.buffer.size"},
      {S::broker, "requests that wait cost nothing", "share.fetch.purgatory.purge.interval.requests"},
      {S::broker, "a new coordinator reads its partition at once", "offsets.load.buffer.size"},
      {S::broker, "segments of __consumer_offsets are not modelled", "offsets.topic.segment.bytes"},
      {S::broker, "segments roll without jitter", "log.roll.jitter.ms log.roll.jitter.hours"},
      {S::broker, "a segment is full before its index",
       "log.index.size.max.bytes log.index.interval.bytes log.preallocate"},
      {S::broker, "compression is not modelled; give compressed sizes",
       "offsets.topic.compression.codec compression.type compression.gzip.level "
       "compression.lz4.level compression.zstd.level"},
      {S::broker, "commits carry no metadata", "offset.metadata.max.bytes"},
      {S::broker, "a broker has one log directory",
       "log.dirs log.dir log.flush.start.offset.checkpoint.interval.ms num.recovery.threads.per.data.dir "
       "num.replica.alter.log.dirs.threads log.dir.failure.timeout.ms"},
      {S::broker, "a cleaner reads and writes as much at a time as it likes", "log.cleaner.io.buffer.size"},
      {S::broker, "tasks for remote storage never wait for a thread",
       "remote.log.manager.thread.pool.size remote.log.manager.copier.thread.pool.size "
       "remote.log.manager.expiration.thread.pool.size remote.log.manager.follower.thread.pool.size"},
      {S::broker, "quotas of remote storage have Kafka's default windows",
       "remote.log.manager.copy.quota.window.num remote.log.manager.copy.quota.window.size.seconds "
       "remote.log.manager.fetch.quota.window.num remote.log.manager.fetch.quota.window.size.seconds"},
      {S::broker, "indexes of remote segments are always at hand",
       "remote.log.index.file.cache.total.size.bytes remote.list.offsets.request.timeout.ms"},
      {S::broker, "[kafka.remote] says what remote storage is like", "remote.* rlmm.config.* rsm.config.*"},
      {S::broker, "a new coordinator reads its partition at once", "transaction.state.log.load.buffer.size"},
      {S::broker, "the transaction log's segments are not modelled", "transaction.state.log.segment.bytes"},
      {S::broker, "two-phase commit with other systems is not modelled",
       "transaction.two.phase.commit.enable"},
      {S::broker, "any number of connections is taken",
       "max.connections max.connections.per.ip max.connections.per.ip.overrides "
       "max.connection.creation.rate connections.max.reauth.ms "
       "connection.failed.authentication.delay.ms socket.connection.setup.timeout.ms "
       "socket.connection.setup.timeout.max.ms socket.listen.backlog.size"},
      {S::broker, "socket buffers are not modelled",
       "socket.send.buffer.bytes socket.receive.buffer.bytes replica.socket.receive.buffer.bytes"},
      {S::broker, "requests of any size are taken, in any number",
       "socket.request.max.bytes queued.max.request.bytes max.request.partition.size.limit"},
      {S::broker, "followers and brokers wait for an answer until the connection is lost",
       "replica.socket.timeout.ms request.timeout.ms"},
      {S::broker, "fetch sessions are kept for every client", "max.incremental.fetch.session.cache.slots"},
      {S::broker, "requests that wait cost nothing",
       "fetch.purgatory.purge.interval.requests producer.purgatory.purge.interval.requests "
       "delete.records.purgatory.purge.interval.requests background.threads"},
      {S::broker, "KRaft's controlled shutdown is asked for in heartbeats",
       "controlled.shutdown.max.retries controlled.shutdown.retry.backoff.ms"},
      {S::broker, "brokers are numbered",
       "broker.id broker.id.generation.enable reserved.broker.max.id node.id"},
      {S::broker, "topics are declared",
       "auto.create.topics.enable delete.topic.enable alter.config.policy.class.name"},
      {S::broker, "[kafka.create_topic_policy] says what the plug-in lets pass",
       "create.topic.policy.class.name"},
      {S::broker, "brokers have one listener each",
       "listeners advertised.listeners listener.security.protocol.map control.plane.listener.name "
       "inter.broker.listener.name early.start.listeners"},
      {S::broker, "all brokers are of one version",
       "inter.broker.protocol.version log.message.format.version log.message.downconversion.enable "
       "unstable.api.versions.enable unstable.feature.versions.enable unstable.metadata.versions.enable"},
      {S::broker, "of quotas those of clients are modelled",
       "replication.quota.window.num "
       "replication.quota.window.size.seconds alter.log.dirs.replication.quota.window.num "
       "alter.log.dirs.replication.quota.window.size.seconds client.quota.callback.class "
       "leader.replication.throttled.rate leader.replication.throttled.replicas "
       "follower.replication.throttled.rate follower.replication.throttled.replicas "
       "replica.alter.log.dirs.io.max.bytes.per.second"},
      {S::broker, "nobody is authenticated and nothing is encrypted",
       "ssl.* sasl.* security.* authorizer.class.name principal.builder.class delegation.token.* "
       "password.encoder.*"},
      {S::broker, "metrics are mqlab's own",
       "metrics.num.samples metrics.recording.level metrics.sample.window.ms metric.reporters "
       "kafka.metrics.* telemetry.max.bytes auto.include.jmx.reporter"},
      {S::broker,
       "of ZooKeeper's settings zookeeper.session.timeout.ms is modelled; [kafka] coordination says whether "
       "there is an ensemble",
       "zookeeper.connect zookeeper.metadata.migration.*"},
      {S::broker, "a broker waits for its ensemble however long", "zookeeper.connection.timeout.ms"},
      {S::broker, "requests to ZooKeeper are pipelined without a bound", "zookeeper.max.in.flight.requests"},
      {S::broker, "the ensemble is one host", "zookeeper.sync.time.ms"},
      {S::broker, "nobody is authenticated and nothing is encrypted",
       "zookeeper.set.acl zookeeper.client.secure zookeeper.ssl.* zookeeper.clientCnxnSocket"},
      {S::broker, "Streams groups are classic ones: their own protocol (KIP-1071) is not modelled",
       "group.streams.*"},
      {S::broker, "share groups are there since 4.2, as [kafka] version says; any number of them",
       "group.share.enable group.share.max.groups"},
      {S::broker, "the consumer bounds a share fetch, not the broker", "share.fetch.max.fetch.records"},
      {S::broker, "a commit is answered when all in-sync replicas have it (gone since 4.0)",
       "offsets.commit.required.acks"},
      {S::broker, "gone since 3.0: [[kafka.quotas]] gives quotas",
       "quota.producer.default quota.consumer.default"},
      {S::broker, "gone since 3.0: brokers have one listener each",
       "host.name port advertised.host.name advertised.port"},
      {S::broker, "of Kafka's own tests and of no documentation", "internal.*"},
      {S::broker, "snapshots of producer state are not modelled", "log.max.id.map.snapshots"},
      {S::topic, "segments roll without jitter", "segment.jitter.ms"},
      {S::topic, "a segment is full before its index",
       "segment.index.bytes index.interval.bytes preallocate"},
      {S::topic, "compression is not modelled",
       "compression.gzip.level compression.lz4.level compression.zstd.level"},
      {S::topic, "gone since 4.0: message.timestamp.before.max.ms and after.max.ms say it",
       "message.timestamp.difference.max.ms"},
      {S::topic, "a topic has its tiers for the length of a run",
       "remote.log.copy.disable remote.log.delete.on.disable"},
      {S::topic, "all brokers are of one version", "message.format.version message.downconversion.enable"},
      {S::topic, "quotas are not modelled",
       "leader.replication.throttled.replicas follower.replication.throttled.replicas"},
      {S::producer, "nobody is authenticated and nothing is encrypted", "ssl.* sasl.* security.*"},
      {S::producer, "metrics are mqlab's own",
       "metrics.num.samples metrics.recording.level metrics.sample.window.ms metric.reporters "
       "metrics.context.* enable.metrics.push auto.include.jmx.reporter"},
      {S::producer, "of Kafka's own clients and of no documentation", "internal.*"},
      {S::producer, "values are read as they stand", "config.providers*"},
      {S::producer, "clients know all brokers of their cluster",
       "client.dns.lookup metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms"},
      {S::producer, "a connection is made in one round trip, or not at all",
       "socket.connection.setup.timeout.ms socket.connection.setup.timeout.max.ms"},
      {S::producer, "nothing sits between an application and its client", "interceptor.classes"},
      {S::producer, "compression is not modelled; give compressed sizes",
       "compression.gzip.level compression.lz4.level compression.zstd.level"},
      {S::producer, "a producer knows its topics for good", "metadata.max.idle.ms"},
      {S::producer, "two-phase commit with other systems is not modelled",
       "transaction.two.phase.commit.enable"},
      {S::producer, "gone since 0.11: max.block.ms and request.timeout.ms say it",
       "block.on.buffer.full metadata.fetch.timeout.ms timeout.ms"},
      {S::consumer, "nobody is authenticated and nothing is encrypted", "ssl.* sasl.* security.*"},
      {S::consumer, "metrics are mqlab's own",
       "metrics.num.samples metrics.recording.level metrics.sample.window.ms metric.reporters "
       "metrics.context.* enable.metrics.push auto.include.jmx.reporter"},
      {S::consumer, "of Kafka's own clients and of no documentation", "internal.*"},
      {S::consumer, "values are read as they stand", "config.providers*"},
      {S::consumer, "clients know all brokers of their cluster",
       "client.dns.lookup metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms"},
      {S::consumer, "a connection is made in one round trip, or not at all",
       "socket.connection.setup.timeout.ms socket.connection.setup.timeout.max.ms"},
      {S::consumer, "socket buffers are not modelled", "send.buffer.bytes receive.buffer.bytes"},
      {S::consumer, "clients go by the name of their table", "client.id"},
      {S::consumer, "nothing sits between an application and its client", "interceptor.classes"},
      {S::consumer, "payloads do not exist", "key.deserializer value.deserializer"},
      {S::consumer, "of Kafka Connect's workers, not of consumers", "rebalance.timeout.ms"},
      {S::consumer, "the brokers' group.consumer.* hold for all groups",
       "consumer.session.timeout.ms consumer.heartbeat.interval.ms consumer.assignment.interval.ms "
       "consumer.assignor.offload.enable"},
      {S::consumer, "Streams groups are classic ones: their own protocol (KIP-1071) is not modelled",
       "streams.*"},
      {S::consumer, "the brokers' interval holds for all groups",
       "share.assignment.interval.ms share.assignor.offload.enable"},
      {S::streams, "`version` and the group's own tables configure its clients",
       "bootstrap.servers client.id client.tag.* connections.max.idle.ms metadata.max.age.ms "
       "metadata.recovery.* receive.buffer.bytes send.buffer.bytes reconnect.backoff.ms "
       "reconnect.backoff.max.ms request.timeout.ms retries retry.backoff.ms retry.backoff.max.ms "
       "default.client.supplier admin.* consumer.* main.consumer.* restore.consumer.* global.consumer.* "
       "producer.* topic.*"},
      {S::streams, "Streams groups are classic ones: their own protocol (KIP-1071) is not modelled",
       "group.protocol"},
      {S::streams, "nobody is authenticated and nothing is encrypted", "security.*"},
      {S::streams, "metrics are mqlab's own",
       "metrics.* metric.reporters enable.metrics.push auto.include.jmx.reporter built.in.metrics.version "
       "log.summary.interval.ms"},
      {S::streams, "payloads do not exist",
       "key.serde value.serde default.key.serde default.value.serde default.list.* "
       "windowed.inner.class.serde deserialization.exception.handler "
       "default.deserialization.exception.handler"},
      {S::streams, "[groups.poison] says what a group does with records that it cannot process",
       "processing.exception.handler* production.exception.handler default.production.exception.handler "
       "errors.dead.letter.queue.topic.name"},
      {S::streams, "an application is one stage with its stores: it has no topology to optimise",
       "topology.optimization default.dsl.store dsl.store.suppliers.class rocksdb.config.setter "
       "partition.grouper ensure.explicit.internal.resource.naming"},
      {S::streams, "topics are declared, and nothing of theirs is purged",
       "replication.factor repartition.purge.interval.ms windowstore.changelog.additional.retention.ms"},
      {S::streams, "records are taken in the order of their fetches",
       "max.task.idle.ms buffered.records.per.partition timestamp.extractor default.timestamp.extractor"},
      {S::streams, "each change is written to the changelog", "cache.max.bytes.buffering"},
      {S::streams, "stores stay on disk while their member lives", "state.cleanup.delay.ms"},
      {S::streams, "tasks go where their stores are, whatever the rack",
       "rack.aware.assignment.* task.assignor.class"},
      {S::streams, "a task waits for its partitions however long", "task.timeout.ms"},
      {S::streams, "all members are of one version", "upgrade.from zookeeper.connect"},
      {S::streams, "windows are of the application: [groups.streams] gives them", "window.size.ms"},
      {S::streams, "nobody queries stores from outside", "application.server"},
      {S::streams, "of Kafka's own tests and of no documentation", "internal.* __*"},
  });
  return kRows;
}

}  // namespace models::kafka
