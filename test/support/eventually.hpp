// SPDX-License-Identifier: MIT
// Waiting for what must come, without a guess at how long it takes: a condition is looked at every few
// milliseconds until it holds. The deadline is only there so that a broken server fails the test instead of
// hanging it; no test passes faster or fails sooner because of its length.
#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace brood::test {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds patience{60};

// True as soon as the condition holds; false when it still doesn't at the deadline.
bool eventually(std::predicate auto condition, std::chrono::milliseconds deadline = patience) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return condition();
    std::this_thread::sleep_for(3ms);
  }
  return true;
}

// False as soon as the condition fails; for what must not happen within a time that would be long enough for
// it.
bool stays(std::predicate auto condition, std::chrono::milliseconds duration) {
  return !eventually([&] { return !condition(); }, duration);
}

}  // namespace brood::test
