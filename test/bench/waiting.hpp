// SPDX-License-Identifier: MIT
// Waiting with an end: for a condition until a deadline, or for a time. Ctrl-C ends each wait by an
// exception, so that everything that was started is ended on the way out.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>

namespace brood::bench {

class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

void catch_interrupts();

// False: the condition did not come true in time.
[[nodiscard]] bool wait_until(const std::function<bool()>& condition, std::chrono::nanoseconds patience,
                              std::chrono::nanoseconds between = std::chrono::milliseconds(1));
void pause_for(std::chrono::nanoseconds duration);

}  // namespace brood::bench
