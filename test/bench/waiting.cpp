// SPDX-License-Identifier: MIT
#include "waiting.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

namespace brood::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { interrupted = 1; });
}

bool wait_until(const std::function<bool()>& condition, std::chrono::nanoseconds patience,
                std::chrono::nanoseconds between) {
  const auto until = Clock::now() + patience;
  while (!condition()) {
    if (interrupted != 0) throw Interrupted();
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(between);
  }
  return true;
}

void pause_for(std::chrono::nanoseconds duration) {
  [[maybe_unused]] const bool never_true =
      wait_until([] { return false; }, duration, std::min<std::chrono::nanoseconds>(duration, 10ms));
}

}  // namespace brood::bench
