#include "models/kafka/tiers/remote_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/tiers/remote_log.hpp"

namespace models::kafka {

RemoteReader::RemoteReader(Cluster& cluster, Node& node, Done done)
    : cluster_(cluster),
      node_(node),
      done_(std::move(done)),
      draws_(cluster.context().simulation.seed(), "broker/" + node.name() + "/remote-log-reader"),
      // remote.log.manager.fetch.quota.window.num, .size.seconds
      read_bytes_(11, std::chrono::seconds{1}) {}

bool RemoteReader::throttled() {
  const std::int64_t most = config().fetch_max_bytes_per_second;
  return most < std::numeric_limits<std::int64_t>::max() &&
         read_bytes_.per_second(cluster_.context().now()) > static_cast<double>(most);
}

bool RemoteReader::submit(const RemoteRead& read) {
  for (const auto& thread : threads_) {
    if (thread->transfer->busy()) continue;
    begin(*thread, read);
    return true;
  }
  if (threads_.size() < static_cast<std::size_t>(config().reader_threads)) {
    Thread& made = *threads_.emplace_back(std::make_unique<Thread>());
    made.transfer =
        std::make_unique<RemoteTransfer>(cluster_.context().simulation, node_, cluster_.remote_store(),
                                         [this, &made](bool succeeded) { ended(made, succeeded); });
    begin(made, read);
    return true;
  }
  if (queue_.size() >= static_cast<std::size_t>(config().reader_max_pending_tasks)) return false;
  queue_.push_back(read);
  return true;
}

void RemoteReader::begin(Thread& thread, const RemoteRead& read) {
  thread.read = read;
  thread.bytes = 0;
  const ReplicaLog& log = read.replica->log;
  const bool in_log = read.from >= log.start() && read.from < log.end();
  const RemoteSegment* segment =
      in_log ? read.replica->shared->remote->find(log.epoch_at(read.from), read.from) : nullptr;
  if (segment == nullptr) {
    thread.result = {.error = ErrorCode::offset_out_of_range, .end = read.from};
  } else {
    const ReadResult found = log.read(read.from, segment->end, read.max_bytes);
    thread.result = {.error = ErrorCode::none, .end = found.end};
    thread.bytes = found.bytes;
  }
  thread.transfer->begin(thread.bytes, draws_);
}

void RemoteReader::ended(Thread& thread, bool succeeded) {
  const RemoteRead read = thread.read;
  RemoteReadResult result = thread.result;
  if (!succeeded)  // RemoteStorageException is no error of the protocol
    result = {.error = ErrorCode::unknown_server_error, .end = read.from};
  else
    read_bytes_.record(static_cast<double>(thread.bytes), cluster_.context().now());
  next(thread);
  done_(read, result);
}

void RemoteReader::next(Thread& thread) {
  if (queue_.empty()) return;
  const RemoteRead read = queue_.front();
  queue_.erase(queue_.begin());
  begin(thread, read);
}

void RemoteReader::cancel(std::uint64_t session) {
  std::erase_if(queue_, [session](const RemoteRead& read) { return read.session == session; });
  for (const auto& thread : threads_) {
    if (!thread->transfer->busy() || thread->read.session != session) continue;
    thread->transfer->cancel();
    next(*thread);
  }
}

void RemoteReader::crashed() {
  for (const auto& thread : threads_) thread->transfer->cancel();
  queue_.clear();
}

}  // namespace models::kafka
