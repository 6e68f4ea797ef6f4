#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "experiments/interrupt.hpp"
#include "experiments/program.hpp"

namespace {

/// The first Ctrl-C asks; a second one does what it does elsewhere.
extern "C" void on_signal(int signal) {
  experiments::interrupted.store(true);
  std::signal(signal, SIG_DFL);
}

/// A file that is opened must not become the standard output because the caller closed that.
void hold_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) static_cast<void>(::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY));
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  hold_standard_streams();
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that left is no failure: see program.cpp
  return experiments::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
}
