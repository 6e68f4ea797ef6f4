#include <csignal>
#include <iostream>

#include "experiments/program.hpp"
#include "experiments/sweep.hpp"

namespace {

extern "C" void on_signal(int) {
  experiments::interrupted.store(true);
}

}  // namespace

int main(int argc, char* argv[]) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return experiments::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
}
