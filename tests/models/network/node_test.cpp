#include <functional>

#include "tests/catch.hpp"
#include "tests/models/network/network_world.hpp"

using namespace network_tests;

namespace {

struct Program final : models::NodeProgram {
  void crashed() override { log += "crashed "; }
  void restarted() override { log += "restarted "; }
  void paused() override { log += "paused "; }
  void resumed() override { log += "resumed "; }
  std::string log;
};

}  // namespace

TEST_CASE("a program learns of crash, restart, pause and resume, each once") {
  NetworkWorld w;
  Program program;
  w.client.set_program(program);
  w.client.restart();
  w.client.resume();
  w.client.pause();
  w.client.pause();
  w.client.resume();
  w.client.crash();
  w.client.crash();
  w.client.pause();
  CHECK(w.client.incarnation() == 1);
  w.client.restart();
  CHECK(program.log == "paused resumed crashed restarted ");
}

TEST_CASE("work is held while a node is paused, runs in order on resume and is dropped by a crash") {
  NetworkWorld w;
  std::string log;
  const auto say = [&](char c) { w.client.run_or_hold([&log, c] { log += c; }); };
  say('a');
  w.client.pause();
  say('b');
  say('c');
  CHECK(log == "a");
  w.client.resume();
  CHECK(log == "abc");
  w.client.pause();
  say('d');
  w.client.crash();
  say('e');
  w.client.restart();
  CHECK(log == "abc");
}

TEST_CASE("held work that pauses or crashes its node leaves the rest waiting, or drops it") {
  NetworkWorld w;
  std::string log;
  w.client.pause();
  w.client.run_or_hold([&] { w.client.pause(); });
  w.client.run_or_hold([&] { w.client.crash(); });
  w.client.run_or_hold([&] { log += 'x'; });
  w.client.resume();
  CHECK(w.client.paused());
  CHECK(w.client.up());
  w.client.resume();
  CHECK_FALSE(w.client.up());
  CHECK(log.empty());
}

TEST_CASE("a node's timer that comes due in a pause fires on resume, unless it was disarmed or armed anew") {
  NetworkWorld w;
  int fired = 0;
  models::NodeTimer<std::function<void()>> timer(w.simulation, w.client, [&] { ++fired; });
  timer.arm_after(1s);
  w.run_for(2s);
  CHECK(fired == 1);
  w.client.pause();
  timer.arm_after(1s);
  w.run_for(2s);
  CHECK(fired == 1);
  w.client.resume();
  CHECK(fired == 2);
  w.client.pause();
  timer.arm_after(1s);
  w.run_for(2s);
  timer.disarm();
  w.client.resume();
  CHECK(fired == 2);
}
