// A stream: a log of which each node of some keeps a copy (rabbit_stream_queue.erl, osiris).
//
// One member, the leader, writes; the others copy its chunks and say how far they have come. What a majority has is committed:
// then publishers have their confirms, and consumers may read it, each from the member at the node that it is connected to.
// Nothing that consumers do takes anything from the log, so any number of groups read all of it.
//
// When the leader's node is gone, the coordinator (rabbit_stream_coordinator.erl) stops the members, which tell it the epoch
// and end of their logs, and of a majority chooses the one with the highest; the others cut off what that one does not hold,
// and copy on. Model: the coordinator is one for all nodes and takes no time for its own Raft log; it works while some node is
// connected to a majority of all, and such a node speaks for it until it no longer is one. The nodes with members are the
// declaring one and those behind it, where RabbitMQ draws them.
//
// Publishers' channels remember what is unconfirmed and send it to the next leader, which knows by its publishing ids what it
// has. Model: they do so, too, when the link to the same leader has been away. The soft limit of 256 such messages, above which
// a channel blocks (stream_messages_soft_limit), is not modelled.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/network/node.hpp"
#include "models/pool.hpp"
#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/queue.hpp"
#include "models/rabbitmq/stream_log.hpp"
#include "models/rabbitmq/window.hpp"

namespace models::rabbitmq {

class Stream;

/// What nodes tell one another about a stream. Which fields count goes by `what`.
struct StreamMail {
  enum class What : std::uint8_t {
    // between a channel and the leader
    write,
    written,
    store,
    query,
    queried,
    // between the coordinator and the members
    stop,
    stopped,
    lead,
    leading,
    follow,
    leader_is,
    // between a member and the leader
    attach,
    attached,
    chunk,
    copied,
    committed,
    // single active consumers
    join,
    leave,
    activate,
  };
  What what{};
  Stream* stream = nullptr;
  std::uint16_t at = 0;
  std::uint16_t from = 0;
  std::uint32_t epoch = 0;  ///< of the leader
  Session* session = nullptr;
  std::uint32_t session_epoch = 0;
  std::uint64_t tag = 0;
  bool confirm = false;
  std::uint16_t node = 0;
  std::int64_t offset = 0;
  std::int64_t committed = 0;
  StreamEntry entry{};
  Chunk::Stored stored{};
  EpochEnd tail{};
  std::vector<EpochEnd> ends;
  Ref<Chunk> chunk{};

  std::uint32_t refs = 0;
  Shelf<StreamMail>* home = nullptr;
  void clear() {
    ends.clear();
    chunk = {};
  }
};

class Stream final : public Queue {
 public:
  Stream(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity);
  ~Stream() override;

  // Queue
  bool is_log() const override { return true; }
  Taken publish(Session& session, std::uint64_t tag, Message& m) override;
  bool consume(Session& session, const ConsumerOptions& consumer) override;
  void answer(Session& session, std::uint64_t ordinal, Answer how) override;
  void store_offset(Session& session, std::int64_t offset) override;
  void leave(Session& session, std::uint32_t epoch) override;
  sim::Time oldest_held(Session& session) override;
  void take_dead_letter(Broker& from, Message& m, const Origin& origin) override;
  void started() override;
  void node_crashed(Broker& node) override;
  void node_restarted(Broker& node) override;
  void link_down(Broker& at, Broker& other) override;
  void link_up(Broker& at, Broker& other) override;
  Depth depth() const override;
  bool finished(EntityId group) const override;
  bool is_at(const Broker& node) const override;
  Broker& leader() const override;
  Usage usage(const Broker& node) const override;
  bool busy() const override;
  void tell_unfinished(std::vector<std::string>& lines) const override;
  std::optional<std::string> broken() const override;

  /// A mail has come in.
  void take(StreamMail& mail);

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  // ---- members ----
  struct Follower {
    std::size_t member = 0;
    bool attached = false;
    std::int64_t sent = 0;
    std::int64_t has = 0;
    std::uint32_t under_way = 0;
    std::uint64_t request = 0;  // by which it attached
  };
  /// Who waits for the offsets below `end` to be committed.
  struct Pending {
    std::int64_t end = 0;
    Session* session = nullptr;
    std::uint32_t session_epoch = 0;
    std::uint16_t node = 0;
    std::uint64_t tag = 0;
  };
  enum class Role : std::uint8_t { off, stopped, replica, writer };
  struct Member {
    Member(Stream& stream, Broker& at, const StreamLogOptions& options);
    Broker& node;
    StreamLog log;
    Role role = Role::off;
    std::uint32_t epoch = 0;     // in which it has its role
    std::int64_t committed = 0;  // as far as it knows
    std::size_t leader = kNone;  // of a replica
    std::uint64_t request = 0;   // to attach: what is sent for an earlier one counts no more
    // Of the writer:
    std::vector<Follower> followers;
    std::map<WriterId, std::uint64_t> highest;  // publishing ids that it has taken
    Ref<Chunk> gathering;                       // what came since the last write began
    Ref<Chunk> writing;
    std::deque<Pending> pending;
    NodeTimer<std::function<void()>> write_timer;
    NodeTimer<std::function<void()>> retention_timer;
  };

  // ---- nodes, as channels see them ----
  struct Outgoing {
    Session* session = nullptr;
    std::uint32_t session_epoch = 0;
    std::uint64_t tag = 0;
    StreamEntry entry{};
  };
  /// A channel that publishes: without a name the stream knows it by a number of its own.
  struct Channel {
    Session* session = nullptr;
    std::uint32_t session_epoch = 0;
    WriterId writer{};
    std::uint64_t published = 0;
  };
  struct Reader {
    Session* session = nullptr;
    std::uint32_t session_epoch = 0;
    ConsumerOptions options{};
    ReferenceId reference{};
    std::int64_t next = 0;
    std::uint32_t credit = 0;
    bool active = true;
    bool placed = false;
    Window<sim::Time> held;  // when each was sent; kNever: answered. Of AMQP
    bool tracks() const {
      return options.stream != nullptr && options.stream->tracking != OffsetTracking::none;
    }
    bool single() const { return options.stream != nullptr && options.stream->single_active_consumer; }
  };
  struct View {
    std::size_t leader = kNone;  // member
    std::uint32_t epoch = 0;
    std::vector<std::unique_ptr<Reader>> readers;
    std::deque<Outgoing> outgoing;
    std::vector<Channel> channels;
  };
  /// Consumers of one name of which the first is active.
  struct Single {
    struct One {
      Session* session = nullptr;
      std::uint32_t session_epoch = 0;
      std::uint16_t node = 0;
    };
    ReferenceId reference{};
    std::vector<One> consumers;
    bool told = false;  // the first has been told
  };

  // ---- from channels (stream.cpp) ----
  StreamEntry entry_of(Session& session, const Message& m);
  void send_write(std::uint16_t node, const Outgoing& out, bool confirm);
  void resend(std::uint16_t node);
  void answered(std::uint16_t node, Session& session, std::uint32_t session_epoch, std::uint64_t tag);
  Reader* reader_of(std::uint16_t node, const Session& session, std::uint32_t session_epoch);
  void place(std::uint16_t node, Reader& reader);
  void attach(Member& member, Reader& reader, std::optional<std::int64_t> stored);
  void dispatch(Member& member, Reader& reader);
  void dispatch_all(Member& member);
  void send_entry(const Chunk& chunk, std::int64_t offset, Reader& reader);
  void tell_position(const Reader& reader, std::int64_t before, ResetCode code);

  // ---- the log's members (stream_members.cpp) ----
  void accept(Member& writer, const StreamMail& mail);
  Chunk& gather(Member& writer);
  void begin_write(Member& writer);
  void wrote(Member& writer);
  void tell_stored(const Member& writer, const Chunk& chunk, std::uint16_t code, std::int64_t from);
  void tell_committed(const Member& writer, const Chunk& chunk);
  void spread(Member& writer);
  void feed(Member& writer, Follower& follower);
  void commit(Member& writer);
  void answer_pending(Member& writer);
  void retain(Member& member);
  void tell_expired(const Member& member);
  void become_writer(Member& member, std::uint32_t epoch);
  void become_replica(Member& member, std::uint32_t epoch, std::size_t leader);
  void rest(Member& member, Role role);
  void ask_to_attach(Member& replica);
  void attach_follower(Member& writer, const StreamMail& mail);
  void attached(Member& replica, const StreamMail& mail);
  void copy(Member& replica, StreamMail& mail);
  void declare_line(Member& writer);

  // ---- the coordinator (stream_coordinator.cpp) ----
  bool may_speak(std::size_t at) const;
  std::size_t speaker();
  bool reaches(std::size_t from, std::size_t to) const;
  bool lost_leader(std::size_t at) const;
  void reconsider();
  void elect(std::size_t at);
  void stop_members(std::size_t at);
  void stopped(const StreamMail& mail);
  void choose();
  void settle_roles(std::size_t at);
  Single& single(ReferenceId reference);
  void join(const StreamMail& mail);
  void part(const Session& session, std::uint32_t session_epoch, ReferenceId reference);
  void activate_first(Single& of);
  void sweep_singles();
  void presume_down(std::uint16_t node);

  // ---- mail ----
  Ref<StreamMail> mail(StreamMail::What what);
  void post(const Broker& from, const Broker& to, Ref<StreamMail> mail, std::uint32_t bytes = 40);
  Member* member_at(const Broker& node);
  const Member* member_at(const Broker& node) const;
  WriterId writer_named(const std::string& name);
  ReferenceId reference_named(const std::string& name);
  sim::Time now() const { return cluster_.context().now(); }

  Pool<StreamMail> mails_;
  Pool<Chunk> chunks_;
  std::vector<std::unique_ptr<Member>> members_;
  std::deque<View> views_;               // by node
  std::vector<std::vector<bool>> lost_;  // by node: of whom it has been told that they are gone
  std::vector<std::string> writers_;     // names, by WriterId - 1; "" of a channel
  std::vector<std::string> references_;  // by ReferenceId - 1
  std::vector<Single> singles_;

  // What the trace was told: the log of the last leader.
  std::size_t line_ = 0;
  std::int64_t line_end_ = 0;  // when it was succeeded
  std::int64_t told_expired_ = 0;
  std::int64_t told_committed_ = 0;

  // The coordinator's state.
  enum class Phase : std::uint8_t { running, stopping, starting };
  Phase phase_ = Phase::running;
  std::size_t speaker_ = 0;
  std::uint32_t epoch_ = 1;
  std::size_t writer_ = 0;
  std::vector<std::optional<EpochEnd>> tails_;  // of members that have stopped
};

}  // namespace models::rabbitmq
