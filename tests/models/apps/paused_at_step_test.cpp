// A process that is paused at a named step has not done what comes behind it: nobody is told, nothing is decided, until it goes on.
#include <array>

#include "models/faults/step_then.hpp"
#include "tests/catch.hpp"
#include "tests/models/apps/desk_world.hpp"

using namespace desk;
using models::Kind;
using models::Step;

namespace {

struct Place {
  const char* target;
  Step step;
  Publishing publish = Publishing::outbox;
};

/// The desk, whom one client asks again and again, and who stands still for two seconds where `place` says.
models::Scenario paused_at(const Place& place) {
  models::Scenario s = desk_scenario(place.publish);
  s.services[0].arrivals.reset();
  s.services[0].closed_loop = models::ClosedLoop{1, sim::Distribution::constant(10e6)};
  if (place.publish == Publishing::two_phase) {
    s.databases.emplace_back().name = "queue-db";
    s.services[0].queue = "queue-db";
  }
  models::FaultSpec pause = crash(place.target, {}, 2s);
  pause.kind = "pause";
  pause.at.reset();
  pause.when = models::FaultSpec::When{place.step, 20, {}};
  s.faults.push_back(pause);
  return s;
}

/// What is recorded while somebody stands still.
struct Window final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      const auto kind = static_cast<Kind>(r.kind);
      facts += kind == Kind::fact ? 1 : 0;
      if (kind == Kind::fault) {
        open = r.a == 1;
        times += open ? 1 : 0;
        who = r.actor;
      } else if (open) {
        own += r.actor == who ? 1 : 0;
        requests += kind == Kind::request ? 1 : 0;
        decisions += kind == Kind::vote && r.code != static_cast<std::uint16_t>(models::VoteCode::prepared);
      }
    }
  }
  bool open = false;
  std::uint32_t who = 0;
  int times = 0, own = 0, requests = 0, decisions = 0;
  int facts = 0;  // of the whole run
};

}  // namespace

TEST_CASE("who is paused at a step does nothing more, and nobody hears of it, until it goes on",
          "[apps][steps]") {
  static constexpr std::array kPlaces{
      Place{"desk-db", Step::row_inserted},
      Place{"desk-db", Step::transaction_stored},
      Place{"desk-db", Step::vote_given, Publishing::two_phase},
      Place{"queue-db", Step::vote_given, Publishing::two_phase},
      Place{"queue-db", Step::transaction_stored, Publishing::two_phase},
      Place{"desk", Step::transaction_sent},
      Place{"desk", Step::transaction_committed},
      Place{"desk", Step::transaction_committed, Publishing::after_commit},
      Place{"desk", Step::event_acknowledged, Publishing::after_commit},
      Place{"desk", Step::event_acknowledged, Publishing::before_commit},
      Place{"desk", Step::participant_asked, Publishing::two_phase},
      Place{"desk", Step::prepare_sent, Publishing::two_phase},
      Place{"desk", Step::votes_collected, Publishing::two_phase},
      Place{"desk", Step::decision_recorded, Publishing::two_phase},
      Place{"desk", Step::participant_told, Publishing::two_phase},
  };
  for (const Place& place : kPlaces) {
    INFO(place.target << " at step " << static_cast<int>(place.step));
    Window window;
    const Seen seen = run(paused_at(place), &window);
    CHECK(window.times == 1);
    CHECK(window.own == 0);
    CHECK(window.requests == 0);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::request_latency_max_ms] >= 1990);
    CHECK(seen[Metric::requests_failed] == 0);
    CHECK(seen[Metric::events_lost] == 0);
    // Of one decision the first participant hears before the step, if that lies between them.
    CHECK(window.decisions <= (place.step == Step::participant_told ? 1 : 0));
  }
}

TEST_CASE("a relay that is paused at a step has not sent, or noted, what it has in hand", "[apps][steps]") {
  for (const Step step : {Step::rows_read, Step::rows_sent, Step::rows_marked}) {
    INFO("step " << static_cast<int>(step));
    models::Scenario s = paused_at({"relay", step});
    s.relays[0].every = 5ms;
    Window window;
    const Seen only_paused = run(s, &window);
    CHECK(window.times == 1);
    CHECK(window.own == 0);
    CHECK(only_paused[Metric::events_duplicated] == 0);
    CHECK(only_paused[Metric::event_delay_max_ms] > 1500);
    // It dies before it goes on: what lay behind the step has not been done.
    s.faults.push_back(crash("relay", 1500ms, 100ms));
    const Seen dead = run(s);
    CHECK(dead[Metric::events_lost] == 0);
    CHECK((dead[Metric::events_duplicated] > 0) == (step == Step::rows_sent));
  }
}

TEST_CASE("who dies while it is paused at a step has not done what lies behind it", "[apps][steps]") {
  // Had the first participant alone been told, and then nobody: it is told again by who comes back.
  for (const Step step : {Step::votes_collected, Step::decision_recorded, Step::participant_told}) {
    INFO("step " << static_cast<int>(step));
    models::Scenario s = paused_at({"desk", step, Publishing::two_phase});
    s.faults.push_back(crash("desk", 1500ms, 100ms));
    Window window;
    const Seen seen = run(s, &window);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::decisions_split] == 0);
    CHECK(seen[Metric::in_doubt_max_ms] > 500);
    CHECK(seen[Metric::requests_failed] == 1);
    // What was decided is a fact, though whoever asked has heard nothing.
    CHECK(window.facts - seen[Metric::requests_answered] == (step == Step::votes_collected ? 0 : 1));
  }
  models::Scenario s = paused_at({"desk", Step::transaction_committed, Publishing::after_commit});
  s.faults.push_back(crash("desk", 1500ms, 100ms));
  CHECK(run(s)[Metric::events_lost] == 1);
}
