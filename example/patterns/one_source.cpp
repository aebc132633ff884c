// SPDX-License-Identifier: MIT
// Shows signals, timers and input from one source: signals and ticks arrive at descriptors, so that the loop
// that waits for connections waits for them too, and no code runs in a signal handler. `count` answers how
// many signals (SIGRTMIN) and ticks there were in this child.
//   In the books: unified event source (Linux server books); the self-pipe trick (Bernstein), whose job
//   signalfd and timerfd do now; pselect (Stevens, UNP 20.5); Reactor with several kinds of handles (POSA2).
//   Take it: whenever a loop has to do with signals or timers. The kit's parent works this way.
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <brood/brood.hpp>
#include <csignal>

#include "protocol.hpp"

class OneSource : public brood::EventServer {
  void on_child_start() override {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &wanted, nullptr);  // or the handler would get it
    signal_source_.reset(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    tick_source_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const itimerspec interval{{1, 0}, {1, 0}};
    if (!signal_source_ || timerfd_settime(tick_source_.get(), 0, &interval, nullptr) != 0)
      throw brood::SystemError("create the sources", errno);
    watch(signal_source_.get(), [this] {
      signalfd_siginfo signal;
      while (read(signal_source_.get(), &signal, sizeof signal) == sizeof signal) ++signals_;
    });
    watch(tick_source_.get(), [this] {
      std::uint64_t ticks = 0;
      if (read(tick_source_.get(), &ticks, sizeof ticks) == sizeof ticks) ticks_ += ticks;
    });
  }

  Next handle_readable(brood::Connection& connection) override {
    while (const auto line = connection.try_line()) {
      if (*line == "count")
        connection.write_all(std::to_string(signals_) + " signals, " + std::to_string(ticks_) + " ticks\n");
      else
        connection.write_all(patterns::answer(*line));
    }
    return Next::request;
  }

  brood::Descriptor signal_source_, tick_source_;
  std::uint64_t signals_ = 0, ticks_ = 0;
};

int main(int argc, char** argv) { return OneSource().run(argc, argv); }
