// How a consumer's fetch is served that wants what is on no disk here any more (ReplicaManager.handleOffsetOutOfRangeError and
// processRemoteFetch, DelayedRemoteFetch.scala).
//
// The first such partition of a fetch is read from remote storage, the others have to wait for another fetch. The whole answer
// waits for that read, and with it all other partitions of the fetch, for at most remote.fetch.max.wait.ms; then it is given
// without. While remote.log.manager.fetch.max.bytes.per.second is exceeded nothing is read, and the fetch is as one of a
// partition that has nothing new.
//
// Model: what comes from the broker's own disk is read when the answer is given, not before the read of remote storage begins.
#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/tiers/remote_reader.hpp"

namespace models::kafka {

/// It cannot be read here, but lies in the log.
bool Broker::is_remote(const FetchSession& session, const FetchSession::Entry& entry,
                       const Replica& replica) const {
  return !session.follower() && entry.offset >= replica.log.start() &&
         entry.offset < replica.disk.local_start;
}

/// The session's fetch now waits for a read of remote storage, or has been answered.
bool Broker::read_remotely(FetchSession& session) {
  session.remote = {};
  if (session.follower() || remote_reader_->throttled()) return false;
  for (const std::uint32_t i : session.queued()) {
    const FetchSession::Entry& entry = session.entry(i);
    const Replica* replica = replicas_[entry.partition.value];
    if (!entry.present || !may_serve(session, replica) || !replica->in_epoch(entry.current_epoch)) continue;
    if (!is_remote(session, entry, *replica)) continue;
    if (preferred_read_replica(session, *replica, entry.offset) != kNoBroker) continue;
    session.remote = {.state = FetchSession::Remote::reading, .entry = i, .from = entry.offset};
    const bool accepted =
        remote_reader_->submit({.session = session.id(),
                                .fetch = session.fetches,
                                .replica = replica,
                                .from = entry.offset,
                                .max_bytes = std::min(entry.max_bytes, session.waiting->max_bytes)});
    tell_remote(*replica, accepted ? kRemoteRead : kRemoteReadFailed, entry.offset);
    if (!accepted) {  // RejectedExecutionException
      session.remote.state = FetchSession::Remote::read;
      session.remote.error = ErrorCode::unknown_server_error;
      answer_fetch(session);
      return true;
    }
    session.deadline = context().simulation.after(config().tiers.fetch_max_wait);
    await_records(session);
    return true;
  }
  return false;
}

void Broker::remotely_read(const RemoteRead& read, const RemoteReadResult& result) {
  if (result.error == ErrorCode::unknown_server_error)
    tell_remote(*read.replica, kRemoteReadFailed, read.from);
  FetchSession* const found = find_session(read.session);
  if (found == nullptr) return;
  FetchSession& session = *found;
  const bool waits = session.waiting && session.fetches == read.fetch;
  if (!waits || session.remote.state != FetchSession::Remote::reading) return;
  session.remote.state = FetchSession::Remote::read;
  session.remote.error = result.error;
  session.remote.end = result.end;
  answer_fetch(session);
}

/// The fetch is answered without what it has waited for.
void Broker::gave_up_reading(FetchSession& session) {
  remote_reader_->cancel(session.id());
  const FetchSession::Entry& entry = session.entry(session.remote.entry);
  tell_remote(*replicas_[entry.partition.value], kRemoteReadFailed, session.remote.from);
}

void Broker::tell_remote(const Replica& replica, std::uint16_t what, Offset from) {
  context().emit(Kind::tiered, {.code = what,
                                .actor = node_.entity().value,
                                .place = cluster_.partition(replica.partition).entity.value,
                                .a = from});
}

}  // namespace models::kafka
