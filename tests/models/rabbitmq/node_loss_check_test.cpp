// Random programs of a quorum queue whose nodes are lost: publish, deliver, ack, nack, reject, time-out, the end of a consumer,
// the crash of a member, the cut of its links. Each member applies what is committed to a state of its own; a small reference
// knows where each message is. Whatever happens, what was confirmed is there once, in one place, and all members say the same.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/rabbitmq/rabbit_fifo.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/raft_group.hpp"

using namespace rabbitmq_test;
using std::chrono::milliseconds;

namespace {

/// One thing that a queue's state tells.
struct Word {
  enum class What : std::uint8_t { stored, dispatched, settled, requeued, removed };
  What what{};
  std::uint64_t number = 0;
  std::uint32_t publisher = 0;  ///< of `stored`, with the next: which message it is
  std::uint64_t seq = 0;
  std::uint32_t to = 0;  ///< of `dispatched`, as the next
  std::uint64_t ordinal = 0;
  int why = 0;  ///< of `removed`
  bool operator==(const Word&) const = default;
};
using Words = std::vector<Word>;

/// Where every message is: ready, held by one, settled or gone. It hears what the state tells.
class Places {
 public:
  struct Place {
    enum class At : std::uint8_t { ready, held, settled, gone };
    At at = At::ready;
    std::uint32_t holder = 0;
    std::uint64_t ordinal = 0;
  };

  void hear(const Word& w) {
    if (w.what == Word::What::stored) {
      if (w.number != all.size()) return fail("a message has another number than the next", w);
      all.push_back({});
      if (!known.emplace(std::pair{w.publisher, w.seq}, w.number).second)
        return fail("a message is stored twice", w);
      return;
    }
    if (w.number >= all.size()) return fail("what happens to a message happens to one that was stored", w);
    Place& p = all[w.number];
    const bool held = p.at == Place::At::held;
    const bool ready = p.at == Place::At::ready;
    switch (w.what) {
      case Word::What::dispatched:
        if (!ready) return fail("a message is sent that is not ready", w);
        p = {Place::At::held, w.to, w.ordinal};
        return;
      case Word::What::settled:
        if (!held) return fail("a message is settled that nobody holds", w);
        p.at = Place::At::settled;
        return;
      case Word::What::requeued:
        if (!held) return fail("a message goes back that nobody holds", w);
        p.at = Place::At::ready;
        return;
      default:
        if (!held && !ready) return fail("a message goes that has gone", w);
        p.at = Place::At::gone;
    }
  }
  std::uint64_t count(Place::At at) const {
    return static_cast<std::uint64_t>(
        std::count_if(all.begin(), all.end(), [at](const Place& p) { return p.at == at; }));
  }
  void fail(const std::string& what, const Word& w) {
    if (wrong.empty()) wrong = what + ": " + std::to_string(w.number);
  }

  std::vector<Place> all;                                                  // by number
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> known;  // number, by publisher and seq
  std::string wrong;
};

/// What a member makes of the entries that it applies. Of FifoOwner all functions are virtual.
class Replica final : public FifoOwner {
 public:
  Replica(const QueueArguments& arguments, const std::string& version)
      : fifo({.name = "q", .arguments = arguments}, {}, FifoRules::of(version), *this) {}
  void stored(const Message& m) {
    told.push_back({.what = Word::What::stored, .number = m.number, .publisher = m.lane.value, .seq = m.seq});
  }
  void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) {
    told.push_back({.what = Word::What::dispatched, .number = m.number, .to = to.value, .ordinal = ordinal});
  }
  void settled(const Message& m, models::SettledCode) { tell(Word::What::settled, m); }
  void requeued(const Message& m, models::RequeuedCode) { tell(Word::What::requeued, m); }
  void removed(const Message& m, models::RemovedCode why) {
    told.push_back({.what = Word::What::removed, .number = m.number, .why = static_cast<int>(why)});
  }
  void full(ClientId, bool) {}
  void consumer_timed_out(ClientId) {}
  void died() {}
  void there(bool) {}

  Words told;
  RabbitFifo fifo;

 private:
  void tell(Word::What what, const Message& m) { told.push_back({.what = what, .number = m.number}); }
};

enum class Planted {
  nothing,
  confirms_too_early,  ///< the leader, as soon as it has an entry
  repeats_as_new,      ///< a publisher that repeats does not say so
  one_acknowledges     ///< a member takes what is given back for acknowledged
};

class Program {
 public:
  Program(std::uint64_t seed, Planted planted) : q(3, seed), planted_(planted) {
    if (q.below(2) == 0) arguments_.delivery_limit = static_cast<std::int64_t>(q.below(3));
    if (q.below(3) == 0) arguments_.message_ttl = milliseconds{static_cast<std::int64_t>(10 + q.below(60))};
    if (q.below(4) == 0) arguments_.max_length = static_cast<std::int64_t>(2 + q.below(8));
    arguments_.single_active_consumer = q.below(5) == 0;
    static const char* const kVersions[] = {"3.13", "4.2", "4.3"};
    version_ = kVersions[q.below(3)];
    for (auto& replica : replicas_) replica = std::make_unique<Replica>(arguments_, version_);
    q.applies = [this](RaftMember& m, std::uint64_t index, const RaftEntry& e) { apply(m, index, e); };
    q.crashed = [this](std::uint16_t m) { recover(m); };
  }

  /// What went wrong first, in words; empty: nothing.
  std::string run(int steps) {
    for (int i = 0; i < steps && places.wrong.empty(); ++i) step();
    if (places.wrong.empty()) finish();
    return places.wrong;
  }

  Quorum q;
  Places places;
  std::uint64_t lost_members = 0;

 private:
  struct Publisher {
    std::uint64_t next = 1;
    std::deque<std::uint64_t> pending;   // sequence numbers
    std::vector<std::uint64_t> message;  // by sequence number - 1: which message that is
    std::uint64_t messages = 0;
  };
  struct Consumer {
    std::uint32_t id;
    bool suspected = false;
  };

  void wrong(const std::string& what) {
    if (places.wrong.empty()) places.wrong = what;
  }

  void step() {
    const std::uint64_t what = q.below(100);
    const auto one = static_cast<std::uint16_t>(q.below(3));
    if (what < 12) {
      publish(publishers_[q.below(publishers_.size())]);
    } else if (what < 15) {
      repeat(publishers_[q.below(publishers_.size())]);
    } else if (what < 25) {
      answer();
    } else if (what < 31) {
      consumer();
    } else if (what == 31) {
      submit(command(Command::What::tick));
    } else if (what == 32) {
      q.split(one);
      ++lost_members;
    } else if (what == 33) {
      q.heal();
    } else if (what == 34 && q.up(one)) {
      q.crash(one);
      ++lost_members;
    } else if (what < 38 && !q.up(one)) {
      q.restart(one);
    } else {
      q.step();
    }
  }

  Ref<Command> command(Command::What what, std::uint32_t client = 0) {
    Ref<Command> c = q.command();
    *c = Command{.what = what, .client = ClientId{client}, .refs = c->refs, .home = c->home};
    return c;
  }
  /// To one who leads, as far as it knows. False: nobody does.
  bool submit(Ref<Command> c) {
    std::vector<RaftMember*> leaders;
    for (const auto& m : q.members) {
      if (q.up(m->self()) && m->leads()) leaders.push_back(m.get());
    }
    if (leaders.empty()) return false;
    leaders[q.below(leaders.size())]->command(std::move(c));
    return true;
  }

  // ---- who publishes ----
  std::uint32_t number_of(const Publisher& p) const {
    return static_cast<std::uint32_t>(1 + (&p - publishers_.data()));
  }
  void send(Publisher& p, std::uint64_t seq) {
    Ref<Command> c = command(Command::What::enqueue, number_of(p));
    c->number = seq;
    c->message.lane = models::LaneId{number_of(p)};
    c->message.seq = p.message[seq - 1];
    c->message.size = 10;
    const std::uint64_t message = c->message.seq;
    if (submit(std::move(c)) && planted_ == Planted::confirms_too_early) confirm(p, seq, message);
  }
  void publish(Publisher& p) {
    p.message.push_back(++p.messages);
    p.pending.push_back(p.next);
    send(p, p.next++);
  }
  /// All that it has not heard of, in order.
  void repeat(Publisher& p) {
    std::deque<std::uint64_t> again = p.pending;
    if (planted_ == Planted::repeats_as_new && !again.empty()) {
      p.pending.clear();
      for (std::uint64_t& seq : again) {
        p.message.push_back(p.message[seq - 1]);
        seq = p.next++;
        p.pending.push_back(seq);
      }
    }
    for (const std::uint64_t seq : again) send(p, seq);
  }
  void confirm(Publisher& p, std::uint64_t seq, std::uint64_t message) {
    std::erase(p.pending, seq);
    confirmed_.emplace(number_of(p), message);
  }

  // ---- who consumes ----
  void consumer() {
    const std::uint64_t what = q.below(6);
    if (consumers_.size() < 3 && what < 3) {
      Ref<Command> c = command(Command::What::consume, next_consumer_);
      c->consumer.prefetch = static_cast<std::uint32_t>(1 + q.below(3));
      if (submit(std::move(c))) consumers_.push_back({next_consumer_++});
    } else if (!consumers_.empty()) {
      const std::size_t chosen = q.below(consumers_.size());
      Consumer& one = consumers_[chosen];
      if (what == 3) {
        if (submit(command(Command::What::down, one.id)))
          consumers_.erase(consumers_.begin() + static_cast<std::ptrdiff_t>(chosen));
      } else {
        one.suspected = !one.suspected;
        submit(command(one.suspected ? Command::What::suspect : Command::What::trust, one.id));
      }
    }
  }
  /// One that somebody has, or had.
  void answer() {
    std::vector<const Places::Place*> some;
    for (const Places::Place& p : places.all) {
      if (p.at == Places::Place::At::held || (p.holder != 0 && q.below(8) == 0)) some.push_back(&p);
    }
    if (some.empty()) return;
    const Places::Place& p = *some[q.below(some.size())];
    Ref<Command> c = command(Command::What::answer, p.holder);
    c->number = p.ordinal;
    c->how = static_cast<Answer>(q.below(3));
    submit(std::move(c));
  }

  // ---- a member ----
  void apply(RaftMember& m, std::uint64_t index, const RaftEntry& entry) {
    if (committed_.size() <= index) committed_.resize(index + 1);
    if (!entry.command) return;
    Replica& r = *replicas_[m.self()];
    const Command& c = *entry.command;
    const auto taken = change(r, m.self(), c, index);
    Words told = std::exchange(r.told, {});
    if (const auto broken = r.fifo.broken()) wrong(*broken);
    Entry& first = committed_[index];
    if (!first.command) {
      for (const Word& w : told) places.hear(w);
      using At = Places::Place::At;
      if (r.fifo.ready() != places.count(At::ready) || r.fifo.unacknowledged() != places.count(At::held))
        wrong("a message is in two places or in none");
      first = {entry.command, std::move(told)};
    } else if (first.said != told) {
      wrong("members differ in what they make of entry " + std::to_string(index));
    }
    // What a publisher is told may get lost.
    if (c.what != Command::What::enqueue || !m.leads() || taken == RabbitFifo::Enqueued::out_of_sequence)
      return;
    if (q.below(8) > 0) confirm(publishers_[c.client.value - 1], c.number, c.message.seq);
  }
  /// It comes back with what its log leads to as far as it has that on its disk.
  void recover(std::uint16_t member) {
    replicas_[member] = std::make_unique<Replica>(arguments_, version_);
    const std::uint64_t end = std::min<std::uint64_t>(q.members[member]->applied() + 1, committed_.size());
    for (std::uint64_t index = 1; index < end; ++index) {
      if (!committed_[index].command) continue;
      change(*replicas_[member], member, *committed_[index].command, index);
      if (std::exchange(replicas_[member]->told, {}) != committed_[index].said)
        wrong("a member recovers to another state at entry " + std::to_string(index));
    }
  }
  std::optional<RabbitFifo::Enqueued> change(Replica& r, std::uint16_t member, const Command& c,
                                             std::uint64_t index) const {
    const sim::Time now{milliseconds{static_cast<std::int64_t>(index)}};  // the same for all
    Message m = c.message;
    Answer how = c.how;
    switch (c.what) {
      case Command::What::enqueue:
        return r.fifo.enqueue(c.client, c.number, m, now);
      case Command::What::consume:
        r.fifo.consume(c.client, c.consumer, now);
        break;
      case Command::What::answer:
        if (planted_ == Planted::one_acknowledges && member == 1 && how == Answer::nack_requeue)
          how = Answer::ack;
        r.fifo.answer(c.client, c.number, how, now);
        break;
      case Command::What::down:
        r.fifo.down(c.client, now);
        break;
      case Command::What::suspect:
        if (r.fifo.knows(c.client)) r.fifo.suspect(c.client, now);
        break;
      case Command::What::trust:
        if (r.fifo.knows(c.client)) r.fifo.trust(c.client, now);
        break;
      default:
        r.fifo.tick(now);
    }
    return std::nullopt;
  }

  // ---- the end ----
  void finish() {
    q.heal();
    for (std::uint16_t m = 0; m < 3; ++m) {
      if (!q.up(m)) q.restart(m);
    }
    const auto unconfirmed = [this] {
      return std::any_of(publishers_.begin(), publishers_.end(),
                         [](const Publisher& p) { return !p.pending.empty(); });
    };
    for (int round = 0; round < 40 && (round == 0 || unconfirmed()); ++round) {
      settle();
      for (Publisher& p : publishers_) repeat(p);
      settle();
    }
    if (unconfirmed()) return wrong("something is never confirmed");
    // An entry of the last leader's own, so that all hear of the last commit.
    submit(command(Command::What::tick));
    settle();
    for (const auto& message : confirmed_) {
      if (places.known.count(message) == 0) return wrong("what was confirmed is nowhere");
    }
    for (const auto& r : replicas_) {
      using At = Places::Place::At;
      if (r->fifo.ready() != places.count(At::ready) || r->fifo.unacknowledged() != places.count(At::held))
        return wrong("a member lacks something when all is over");
    }
    if (q.invariants.broken()) wrong(*q.invariants.broken());
  }
  void settle() {
    for (int i = 0; i < 5'000 && q.step(q.leader() == nullptr); ++i) continue;
  }

  const Planted planted_;
  QueueArguments arguments_;
  std::string version_;
  std::array<std::unique_ptr<Replica>, 3> replicas_;
  /// A command, and what the first member said who applied it.
  struct Entry {
    Ref<Command> command{};
    Words said{};
  };
  std::vector<Entry> committed_;  // by index
  std::array<Publisher, 2> publishers_;
  std::vector<Consumer> consumers_;
  std::uint32_t next_consumer_ = 10;
  std::set<std::pair<std::uint32_t, std::uint64_t>> confirmed_;  // publisher and message
};

}  // namespace

TEST_CASE("random programs with lost nodes keep each confirmed message in one place of a quorum queue",
          "[rabbitmq][quorum]") {
  std::uint64_t lost_members = 0;
  std::uint64_t messages = 0;
  std::set<std::uint16_t> led;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    INFO("seed " << seed);
    Program program(seed, Planted::nothing);
    REQUIRE(program.run(200) == "");
    lost_members += program.lost_members;
    messages += program.places.all.size();
    led.insert(program.q.elected.begin(), program.q.elected.end());
  }
  CHECK(lost_members > 10'000);
  CHECK(messages > 100'000);
  CHECK(led.size() == 3);
}

TEST_CASE("random programs with lost nodes notice what is confirmed too early, repeated or done by one alone",
          "[rabbitmq][quorum]") {
  const auto noticed = [](Planted planted, const std::string& as) {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed)
      count += Program(seed, planted).run(200).rfind(as, 0) == 0 ? 1 : 0;
    return count;
  };
  CHECK(noticed(Planted::confirms_too_early, "what was confirmed is nowhere") > 5);
  CHECK(noticed(Planted::repeats_as_new, "a message is stored twice") > 20);
  CHECK(noticed(Planted::one_acknowledges, "members differ in what they make of entry") > 20);
}
