// SPDX-License-Identifier: MIT
// Clients that come when they come, whether the ones before were served or not: a recorded load, put on a
// server again. Each asks to be held for a time ("hold 20"). One thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace brood::test {

struct ReplayedClient {
  std::chrono::milliseconds at, held;  // since the begin; how long a child holds it
};

struct Replayed {
  // Of those that were answered, in the order of their answers.
  struct Answer {
    std::chrono::nanoseconds at, took;  // when it really came; until its answer
    std::chrono::nanoseconds held;      // as it has asked
    std::string text;
  };
  std::vector<Answer> answers;
  unsigned failed = 0;
};

// Returns when each has its answer. `look` is called at each multiple of `interval` until `length`, with the
// time. Throws std::system_error, and std::runtime_error for another address than one of IPv4.
struct Looks {
  std::chrono::milliseconds interval, length;
  std::function<void(std::chrono::milliseconds)> look;
};
Replayed replay(const std::string& address, const std::vector<ReplayedClient>& clients, const Looks& looks);

// As `broodctl simulate --arrivals` reads it. `more`: for how much longer a child has a connection than it is
// held.
std::string as_arrivals(const Replayed& replayed, std::chrono::nanoseconds more);

}  // namespace brood::test
