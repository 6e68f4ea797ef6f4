// Random programs against a reference: each message is delayed, visible or in flight, or has left; and both agree on which. The
// reference knows no slots, lists or heaps: one map of messages, looked through from end to end.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/sqs/queue_story.hpp"

using namespace sqs_test;

namespace {

enum class Where { delayed, visible, in_flight, undeleted, gone };

struct Entry {
  Where where = Where::visible;
  std::uint64_t group = 0;
  std::uint32_t server = 0;
  std::uint32_t receives = 0;
  sim::Time sent{};
  sim::Time came{};
  sim::Time since{};
  sim::Time deadline{};  ///< of delay or invisibility
  Receipt last{};
};

class Program {
 public:
  Program(std::uint64_t seed, bool fifo) : draw_(seed, "program"), story_(queue_of(fifo), around_of()) {}

  /// What went wrong, or nothing.
  std::string run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      if (wrong_.empty()) compare();
      if (!wrong_.empty()) return "step " + std::to_string(i) + ": " + wrong_;
    }
    return {};
  }

 private:
  QueueOptions queue_of(bool fifo) {
    QueueOptions o;
    o.name = "jobs";
    o.fifo = fifo;
    o.retention = s(60 + 60 * below(10));
    if (fifo && below(3) == 0) o.delay = s(1 + below(10));
    if (below(2) == 0)
      o.redrive = models::sqs::RedrivePolicy{"dead", static_cast<std::uint32_t>(1 + below(4))};
    return o;
  }
  ServiceOptions around_of() {
    ServiceOptions o;
    o.servers = static_cast<std::uint32_t>(1 + below(4));
    o.fifo_window = static_cast<std::uint32_t>(below(3) == 0 ? 1 + below(8) : 1000);
    o.standard_in_flight = o.fifo_in_flight = below(3) == 0 ? 5 : 1000;
    return o;
  }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(draw_.uniform_int(static_cast<std::uint64_t>(n)));
  }
  bool fifo() const { return story_.options.fifo; }
  std::size_t count(Where where) const {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [where](const auto& e) { return e.second.where == where; }));
  }
  std::size_t flying() const { return count(Where::in_flight) + count(Where::undeleted); }
  bool blocked(std::uint64_t group) const {
    return std::any_of(all_.begin(), all_.end(), [group](const auto& e) {
      return e.second.where == Where::in_flight && e.second.group == group;
    });
  }
  /// It is one of the first messages that are there, in which groups are looked for.
  bool in_window(std::uint64_t number) const {
    std::uint32_t before = 0;
    for (const auto& [n, e] : all_) before += n < number && e.where != Where::gone ? 1 : 0;
    return !fifo() || before < story_.around.fifo_window;
  }
  /// ApproximateAgeOfOldestMessage looks at it.
  bool counts(const Entry& e) const {
    if (e.where == Where::gone) return false;
    const bool flies = e.where == Where::in_flight || e.where == Where::undeleted;
    return fifo() || e.receives < 3 || (e.receives == 3 && flies);
  }
  sim::Time oldest() const {
    for (const auto& [n, e] : all_) {
      if (counts(e)) return e.came;
    }
    return sim::kNever;
  }
  bool old(const Entry& e) const { return e.sent + story_.options.retention <= now_; }
  bool worn(const Entry& e) const {
    return story_.options.redrive && e.receives >= story_.options.redrive->max_receive_count;
  }
  void fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  void step() {
    switch (below(8)) {
      case 0:
      case 1:
        return send();
      case 2:
      case 3:
        return receive();
      case 4:
        return remove();
      case 5:
        return change();
      case 6:
        return pass();
      default:
        return below(8) == 0 ? move() : pass();
    }
  }

  void send() {
    Entry e;
    e.group = fifo() ? static_cast<std::uint64_t>(below(4)) : 0;
    e.server = static_cast<std::uint32_t>(below(story_.around.servers));
    e.came = now_;
    e.sent = fifo() || below(4) > 0 ? now_ : now_ - std::min(now_ - sim::Time{}, s(below(30)));
    // Messages of a FIFO queue have the queue's delay.
    const sim::Duration own = below(5) == 0 ? s(1 + below(20)) : sim::Duration{};
    const sim::Duration delay = fifo() ? story_.options.delay : own;
    e.where = delay > sim::Duration{} ? Where::delayed : Where::visible;
    e.deadline = now_ + delay;
    const std::uint64_t n = story_.send_since(e.sent, now_, e.group, delay, e.server);
    all_[n] = e;
    read();
  }

  void receive() {
    const auto max = static_cast<std::uint32_t>(1 + below(10));
    const sim::Duration visibility = s(1 + below(40));
    std::uint64_t servers = ~std::uint64_t{0};
    if (!fifo() && below(2) == 0) servers = static_cast<std::uint64_t>(1 + below(15));
    const std::size_t room =
        1000 == story_.around.standard_in_flight ? 1000 : 5 - std::min<std::size_t>(5, flying());
    const std::vector<std::uint64_t> blocked_before = blocked_groups();
    const PollId id = story_.ask(now_, max, {}, visibility, servers);
    const Answer answer = story_.answers[id.value];
    if (!answer.there) return fail("a short poll waits");
    if (room == 0) {
      if (!answer.messages.empty()) fail("more is in flight than may be");
      if ((answer.error == Error::over_limit) == fifo()) fail("OverLimit is of standard queues");
      return read();
    }
    if (answer.messages.size() > std::min<std::size_t>(max, room)) fail("more messages than were asked for");
    for (const Got& got : answer.messages) take(got, visibility, servers, blocked_before);
    read();
    for (const Got& got : answer.messages) {
      if (!in_window(got.number)) fail("a message is received from behind the window");
    }
    if (answer.messages.size() == std::min<std::size_t>(max, room)) return;
    for (const auto& [n, e] : all_) {
      if (e.where != Where::visible || (servers >> e.server & 1) == 0) continue;
      if (!in_window(n) || (fifo() && blocked(e.group))) continue;
      return fail("message " + std::to_string(n) + " was there and not handed out");
    }
  }
  std::vector<std::uint64_t> blocked_groups() const {
    std::vector<std::uint64_t> out;
    for (std::uint64_t g = 0; g < 4; ++g) {
      if (fifo() && blocked(g)) out.push_back(g);
    }
    return out;
  }
  void take(const Got& got, sim::Duration visibility, std::uint64_t servers,
            const std::vector<std::uint64_t>& blocked_before) {
    const auto at = all_.find(got.number);
    if (at == all_.end() || at->second.where != Where::visible)
      return fail("somebody gets what is not visible");
    Entry& e = at->second;
    if ((servers >> e.server & 1) == 0) fail("a server answers that was not asked");
    if (old(e)) fail("a message beyond its retention is received");
    if (worn(e)) fail("a message is received more often than may be");
    if (std::find(blocked_before.begin(), blocked_before.end(), e.group) != blocked_before.end())
      fail("a group gives more while something of it is in flight");
    for (const auto& [n, other] : all_) {
      if (fifo() && n < got.number && other.group == e.group && other.where == Where::visible &&
          !worn(other) && !old(other))
        fail("a group's messages are received out of order");
    }
    e.where = Where::in_flight;
    ++e.receives;
    if (got.receives != e.receives) fail("ApproximateReceiveCount is wrong");
    e.since = now_;
    e.deadline = now_ + visibility;
    e.last = got.receipt;
    receipts_.push_back({got.number, got.receipt, e.receives});
  }

  std::optional<Got> some_receipt() {
    if (receipts_.empty()) return std::nullopt;
    const auto recent = std::min<std::int64_t>(12, static_cast<std::int64_t>(receipts_.size()));
    return receipts_[receipts_.size() - 1 - static_cast<std::size_t>(below(recent))];
  }

  void remove() {
    const auto got = some_receipt();
    if (!got) return;
    story_.misses = below(6) == 0;
    const Error error = story_.remove(*got, now_);
    Entry& e = all_[got->number];
    const bool last = e.last == got->receipt && e.where != Where::undeleted;
    Error expected = Error::none;
    if (e.where == Where::gone) {
    } else if (!last) {
      expected = fifo() ? Error::receipt_handle_expired : Error::none;
    } else if (e.where == Where::visible) {
      if (fifo())
        expected = Error::receipt_handle_expired;
      else
        e.where = Where::gone;
    } else if (story_.misses && !fifo()) {
      e.where = Where::undeleted;
    } else {
      e.where = Where::gone;
    }
    if (error != expected) fail("a deletion is answered wrongly");
    read();
  }

  void change() {
    const auto got = some_receipt();
    if (!got) return;
    const sim::Duration visibility = below(20) == 0 ? s(43'200) : s(below(40));
    const Error error = story_.queue().change_visibility(got->receipt, visibility, now_);
    Entry& e = all_[got->number];
    const bool flies = e.where == Where::in_flight && e.last == got->receipt;
    if (!flies) {
      if (error == Error::none) fail("what is not in flight changes its visibility");
    } else if (now_ + visibility > e.since + s(43'200)) {
      if (error != Error::visibility_beyond_limit) fail("twelve hours are exceeded");
    } else {
      if (error != Error::none) fail("a change of visibility is refused");
      e.deadline = now_ + visibility;
      if (visibility == sim::Duration{}) come_back(e);
    }
    read();
  }

  void come_back(Entry& e) { e.where = old(e) ? Where::gone : Where::visible; }

  void pass() {
    const sim::Time to = now_ + std::chrono::milliseconds{below(8'000)};
    while (story_.queue().next_event() <= to) {
      now_ = std::max(now_, story_.queue().next_event());
      story_.queue().advance(now_);
      advance();
      if (wrong_.empty()) compare();
      if (!wrong_.empty()) return;
    }
    now_ = to;
    advance();
  }
  void advance() {
    for (auto& [n, e] : all_) {
      if (e.where == Where::delayed && e.deadline <= now_) e.where = Where::visible;
      if ((e.where == Where::in_flight || e.where == Where::undeleted) && e.deadline <= now_) come_back(e);
    }
    read();
  }
  void move() {
    story_.queue().move_one(now_);
    read();
  }

  /// What left by itself: expired, dead, moved. Each must have had reason to.
  void read() {
    for (; heard_ < story_.told.size(); ++heard_) {
      const std::string& line = story_.told[heard_];
      const std::size_t space = line.rfind(' ');
      const std::string what = line.substr(0, space);
      if (what != "expired" && what != "dead" && what != "moved") continue;
      Entry& e = all_[std::stoull(line.substr(space + 1))];
      if (what == "dead" && !worn(e)) fail("a message is dead that was not received too often");
      if (what == "expired" && !old(e)) fail("a message expires too soon");
      if (e.where == Where::delayed || e.where == Where::in_flight) fail("what leaves was not visible");
      e.where = Where::gone;
    }
  }

  void compare() {
    Queue& q = story_.queue();
    // Half of the programs ask from the beginning, others late or never.
    asks_ = asks_ || q.next_number() == 1 + asks_after_;
    if (asks_ && q.oldest([this](const Message& m) { return all_[m.number].came; }) != oldest()) fail("age");
    if (!story_.counts_agree) fail("an answer has not as many messages as it says");
    if (q.delayed() != count(Where::delayed)) fail("delayed");
    if (q.visible() != count(Where::visible)) fail("visible");
    if (q.in_flight() != flying()) fail("in flight");
    if (const auto broken = q.broken()) fail(*broken);
    if (q.visible() + q.in_flight() + q.delayed() + count(Where::gone) != q.next_number())
      fail("a message is in two places or in none");
  }

  sim::Stream draw_;
  Story story_;
  std::uint64_t asks_after_ = draw_.uniform_int(2) * draw_.uniform_int(30);
  bool asks_ = false;
  sim::Time now_{};
  std::map<std::uint64_t, Entry> all_;
  std::vector<Got> receipts_;
  std::size_t heard_ = 0;
  std::string wrong_;
};

}  // namespace

TEST_CASE("random programs of a standard queue end as the reference says", "[sqs]") {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    REQUIRE(Program(seed, false).run(60) == std::string());
  }
}

TEST_CASE("random programs of a FIFO queue end as the reference says", "[sqs]") {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    REQUIRE(Program(seed, true).run(60) == std::string());
  }
}

TEST_CASE("long random programs end as the reference says", "[sqs]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    REQUIRE(Program(seed, seed % 2 == 0).run(1500) == std::string());
  }
}
