// Every other key of rabbitmq.conf (deps/rabbit/priv/schema/rabbit.schema, 4.3), so that each is refused by its name and
// listed. Where a name holds a word that begins with $, RabbitMQ takes any there.
#include "experiments/scenario/rabbitmq_conf.hpp"

#include <algorithm>

namespace experiments {
namespace {

struct Group {
  std::string_view why;
  std::string_view keys;  ///< one blank between two
};

constexpr Group kGroups[] = {
    {"how connections are accepted is not modelled",
     "handshake_timeout listeners.ssl listeners.ssl.$name listeners.tcp listeners.tcp.$name "
     "num_acceptors.ssl "
     "num_acceptors.tcp proxy_protocol ranch_connection_max reverse_dns_lookups socket_writer.gc_threshold"},
    {"users, permissions and TLS are not modelled",
     "amqp10_client.ssl_options amqp10_client.ssl_options.cacertfile amqp10_client.ssl_options.cacerts.$name "
     "amqp10_client.ssl_options.cert amqp10_client.ssl_options.certfile amqp10_client.ssl_options.crl_check "
     "amqp10_client.ssl_options.depth amqp10_client.ssl_options.key.DSAPrivateKey "
     "amqp10_client.ssl_options.key.PrivateKeyInfo amqp10_client.ssl_options.key.RSAPrivateKey "
     "amqp10_client.ssl_options.keyfile amqp10_client.ssl_options.log_alert "
     "amqp10_client.ssl_options.password "
     "amqp10_client.ssl_options.psk_identity amqp10_client.ssl_options.reuse_sessions "
     "amqp10_client.ssl_options.secure_renegotiate amqp10_client.ssl_options.sni "
     "amqp10_client.ssl_options.verify "
     "amqp10_client.ssl_options.versions.$version amqp_client.ssl_options amqp_client.ssl_options.cacertfile "
     "amqp_client.ssl_options.cacerts.$name amqp_client.ssl_options.cert amqp_client.ssl_options.certfile "
     "amqp_client.ssl_options.crl_check amqp_client.ssl_options.depth "
     "amqp_client.ssl_options.key.DSAPrivateKey "
     "amqp_client.ssl_options.key.PrivateKeyInfo amqp_client.ssl_options.key.RSAPrivateKey "
     "amqp_client.ssl_options.keyfile amqp_client.ssl_options.log_alert amqp_client.ssl_options.password "
     "amqp_client.ssl_options.psk_identity amqp_client.ssl_options.reuse_sessions "
     "amqp_client.ssl_options.secure_renegotiate amqp_client.ssl_options.sni amqp_client.ssl_options.verify "
     "amqp_client.ssl_options.versions.$version anonymous_login_pass anonymous_login_user auth_backends.$num "
     "auth_backends.$num.authn auth_backends.$num.authz auth_mechanisms.$name "
     "credential_validator.min_length "
     "credential_validator.regexp credential_validator.validation_backend default_pass "
     "default_permissions.configure default_permissions.read default_permissions.write default_user "
     "default_user_tags.$tag default_users.$name.configure default_users.$name.password "
     "default_users.$name.read "
     "default_users.$name.tags default_users.$name.vhost_pattern default_users.$name.write default_vhost "
     "definitions.tls.cacertfile definitions.tls.cert definitions.tls.certfile "
     "definitions.tls.ciphers.$cipher "
     "definitions.tls.crl_check definitions.tls.depth definitions.tls.dh "
     "definitions.tls.fail_if_no_peer_cert "
     "definitions.tls.keyfile definitions.tls.log_alert definitions.tls.log_level definitions.tls.password "
     "definitions.tls.reuse_session definitions.tls.reuse_sessions definitions.tls.secure_renegotiate "
     "definitions.tls.verify definitions.tls.versions.$version loopback_users loopback_users.$user "
     "password_hashing_module ssl_allow_poodle_attack ssl_cert_login_from ssl_cert_login_san_index "
     "ssl_cert_login_san_type ssl_handshake_timeout ssl_options.bypass_pem_cache "
     "ssl_options.client_renegotiation "
     "ssl_options.crl_sources.$index ssl_options.crl_sources.$index.path "
     "ssl_options.crl_sources.$index.timeout "
     "ssl_options.honor_cipher_order ssl_options.honor_ecc_order ssl_options.key.DSAPrivateKey "
     "ssl_options.key.PrivateKeyInfo ssl_options.key.RSAPrivateKey ssl_options.log_level"},
    {"mqlab import definitions.json makes a scenario of them",
     "default_policies.operator.$id.apply_to default_policies.operator.$id.classic_queues.ha_mode "
     "default_policies.operator.$id.classic_queues.ha_params "
     "default_policies.operator.$id.classic_queues.ha_sync_mode "
     "default_policies.operator.$id.classic_queues.queue_version "
     "default_policies.operator.$id.delivery_limit "
     "default_policies.operator.$id.expires default_policies.operator.$id.max_in_memory_bytes "
     "default_policies.operator.$id.max_in_memory_length default_policies.operator.$id.max_length "
     "default_policies.operator.$id.max_length_bytes default_policies.operator.$id.message_ttl "
     "default_policies.operator.$id.queue_pattern default_policies.operator.$id.vhost_pattern "
     "definitions.hashing.algorithm definitions.https.url definitions.import_backend definitions.local.path "
     "definitions.skip_if_unchanged message_interceptors.$stage.$name.$key "
     "runtime_parameters.limits.$category"},
    {"numbers of connections, channels and queues are not limited",
     "channel_max_per_node cluster_exchange_limit cluster_queue_limit consumer_max_per_channel "
     "default_limits.vhosts.$id.max_connections default_limits.vhosts.$id.max_queues "
     "default_limits.vhosts.$id.pattern link_max_per_session max_channels_per_connection max_connections "
     "session_max_per_connection vhost_max"},
    {"messages of any size are taken, in one frame", "frame_max initial_frame_max max_message_size"},
    {"a cluster is there from the beginning, with its metadata",
     "cluster_formation.classic_config.nodes.$node cluster_formation.discovery_retry_interval "
     "cluster_formation.discovery_retry_limit cluster_formation.dns.hostname "
     "cluster_formation.internal_lock_retries cluster_formation.lock_retry_limit "
     "cluster_formation.lock_retry_timeout cluster_formation.node_type "
     "cluster_formation.peer_discovery_backend "
     "cluster_formation.registration.enabled cluster_formation.target_cluster_size_hint "
     "cluster_keepalive_interval "
     "cluster_name cluster_partition_handling cluster_partition_handling.pause_if_all_down.nodes.$name "
     "cluster_partition_handling.pause_if_all_down.recover cluster_tags.$tag default_queue_type "
     "delegate_count "
     "distribution.listener.interface distribution.listener.port_range.max "
     "distribution.listener.port_range.min "
     "metadata_store.khepri.default_timeout metadata_store.khepri.snapshot_interval "
     "mirroring_sync_batch_size "
     "mirroring_sync_max_throughput mnesia_table_loading_retry_limit mnesia_table_loading_retry_timeout "
     "net_ticktime node_tags.$tag prevent_startup_if_node_was_reset queue_leader_locator "
     "queue_master_locator "
     "vhost_restart_strategy"},
    {"of how replicated queues and streams are stored this is not modelled",
     "classic_queue.default_version consumer_disconnected_timeout exchange_types.local_random.enabled "
     "message_store_shutdown_timeout queue_index_embed_msgs_below queue_types.classic.enabled "
     "queue_types.quorum.enabled queue_types.stream.enabled quorum_queue.commands_soft_limit "
     "quorum_queue.compress_mem_tables quorum_queue.compute_checksums "
     "quorum_queue.continuous_membership_reconciliation.auto_remove "
     "quorum_queue.continuous_membership_reconciliation.enabled "
     "quorum_queue.continuous_membership_reconciliation.interval "
     "quorum_queue.continuous_membership_reconciliation.target_group_size "
     "quorum_queue.continuous_membership_reconciliation.trigger_interval quorum_queue.initial_cluster_size "
     "quorum_queue.max_append_entries_rpc_batch_size "
     "quorum_queue.property_equivalence.relaxed_checks_on_redeclaration "
     "quorum_queue.segment_compute_checksums "
     "quorum_queue.segment_max_entries quorum_queue.segment_max_size_bytes quorum_queue.snapshot_chunk_size "
     "quorum_queue.wal_compute_checksums quorum_queue.wal_max_batch_size quorum_queue.wal_max_entries "
     "quorum_queue.wal_max_size_bytes raft.adaptive_failure_detector.detection_threshold "
     "raft.adaptive_failure_detector.heartbeat_interval raft.adaptive_failure_detector.poll_interval "
     "raft.adaptive_failure_detector.scaling_factor raft.data_dir raft.segment_max_entries "
     "raft.snapshot_chunk_size "
     "raft.wal_hibernate_after raft.wal_max_batch_size raft.wal_max_entries raft.wal_max_size_bytes "
     "stream.data_dir "
     "stream.read_ahead stream.read_ahead_limit stream.replication.address_family "
     "stream.replication.port_range.max "
     "stream.replication.port_range.min"},
    {"alarms look at memory every 2.5 s, and nothing is paged out",
     "memory_monitor_interval vm_memory_calculation_strategy vm_memory_high_watermark_paging_ratio"},
    {"changes nothing that is modelled",
     "background_gc_enabled background_gc_target_interval collect_statistics collect_statistics_interval "
     "default_worker_pool_size erlang.K hipe_compile log.channel.file log.channel.level "
     "log.channel.rotation.compress log.channel.rotation.count log.channel.rotation.date "
     "log.channel.rotation.size "
     "log.connection.file log.connection.level log.connection.rotation.compress "
     "log.connection.rotation.count "
     "log.connection.rotation.date log.connection.rotation.size log.console log.console.color_esc_seqs.alert "
     "log.console.color_esc_seqs.critical log.console.color_esc_seqs.debug "
     "log.console.color_esc_seqs.emergency "
     "log.console.color_esc_seqs.error log.console.color_esc_seqs.info log.console.color_esc_seqs.notice "
     "log.console.color_esc_seqs.warning log.console.formatter log.console.formatter.json.field_map "
     "log.console.formatter.json.verbosity_map log.console.formatter.level_format "
     "log.console.formatter.plaintext.format log.console.formatter.single_line "
     "log.console.formatter.time_format "
     "log.console.level log.console.stdio log.console.use_colors log.default.level "
     "log.default.rotation.compress "
     "log.default.rotation.count log.default.rotation.date log.default.rotation.size log.dir "
     "log.error_logger_format_depth log.exchange log.exchange.formatter "
     "log.exchange.formatter.json.field_map "
     "log.exchange.formatter.json.verbosity_map log.exchange.formatter.level_format "
     "log.exchange.formatter.plaintext.format log.exchange.formatter.single_line "
     "log.exchange.formatter.time_format "
     "log.exchange.level log.federation.file log.federation.level log.federation.rotation.compress "
     "log.federation.rotation.count log.federation.rotation.date log.federation.rotation.size log.file "
     "log.file.formatter log.file.formatter.json.field_map log.file.formatter.json.verbosity_map "
     "log.file.formatter.level_format log.file.formatter.plaintext.format log.file.formatter.single_line "
     "log.file.formatter.time_format log.file.level log.file.rotation.compress log.file.rotation.count "
     "log.file.rotation.date log.file.rotation.size log.journald log.journald.fields log.journald.level "
     "log.mirroring.file log.mirroring.level log.mirroring.rotation.compress log.mirroring.rotation.count "
     "log.mirroring.rotation.date log.mirroring.rotation.size log.queue.file log.queue.level "
     "log.queue.rotation.compress log.queue.rotation.count log.queue.rotation.date log.queue.rotation.size "
     "log.ra.file log.ra.level log.ra.rotation.compress log.ra.rotation.count log.ra.rotation.date "
     "log.ra.rotation.size log.summarize_process_state log.syslog log.syslog.facility log.syslog.formatter "
     "log.syslog.formatter.json.field_map log.syslog.formatter.json.verbosity_map "
     "log.syslog.formatter.level_format "
     "log.syslog.formatter.plaintext.format log.syslog.formatter.single_line "
     "log.syslog.formatter.time_format "
     "log.syslog.host log.syslog.identity log.syslog.ip log.syslog.level log.syslog.multiline_mode "
     "log.syslog.port "
     "log.syslog.protocol log.syslog.ssl_options.cacertfile log.syslog.ssl_options.cert "
     "log.syslog.ssl_options.certfile log.syslog.ssl_options.client_renegotiation "
     "log.syslog.ssl_options.crl_check "
     "log.syslog.ssl_options.depth log.syslog.ssl_options.dh log.syslog.ssl_options.dhfile "
     "log.syslog.ssl_options.fail_if_no_peer_cert log.syslog.ssl_options.honor_cipher_order "
     "log.syslog.ssl_options.honor_ecc_order log.syslog.ssl_options.key.DSAPrivateKey "
     "log.syslog.ssl_options.key.PrivateKeyInfo log.syslog.ssl_options.key.RSAPrivateKey "
     "log.syslog.ssl_options.keyfile log.syslog.ssl_options.log_alert log.syslog.ssl_options.password "
     "log.syslog.ssl_options.psk_identity log.syslog.ssl_options.reuse_sessions "
     "log.syslog.ssl_options.secure_renegotiate log.syslog.ssl_options.verify "
     "log.syslog.ssl_options.versions.$version log.syslog.transport log.upgrade.file log.upgrade.level "
     "log.upgrade.rotation.compress log.upgrade.rotation.count log.upgrade.rotation.date "
     "log.upgrade.rotation.size "
     "log.user.file log.user.level log.user.rotation.compress log.user.rotation.count log.user.rotation.date "
     "log.user.rotation.size motd_file product.name product.version sysmon_handler.thresholds.busy_ports "
     "sysmon_handler.thresholds.busy_processes sysmon_handler.triggers.distribution_port "
     "sysmon_handler.triggers.port sysmon_handler.triggers.process.garbage_collection "
     "sysmon_handler.triggers.process.heap_size sysmon_handler.triggers.process.long_scheduled_execution"},
};

}  // namespace

std::vector<Key> other_conf_keys() {
  std::vector<Key> keys;
  for (const Group& group : kGroups) {
    std::string_view left = group.keys;
    while (!left.empty()) {
      const std::string_view name = left.substr(0, left.find(' '));
      left.remove_prefix(std::min(name.size() + 1, left.size()));
      keys.push_back({name, KeyType::refused, group.why});
    }
  }
  return keys;
}

}  // namespace experiments
