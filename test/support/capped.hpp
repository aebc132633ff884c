// SPDX-License-Identifier: MIT
// Children under load that hold back beyond max-requests-per-child, until they are replaced.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>

#include "load.hpp"
#include "server_process.hpp"

namespace brood::test {

// No child takes more than 2 connections beyond a cap of 10 before it has held back for the whole time that
// it gives its replacement. Whether that is ready by then is the machine's matter, and is not asked.
inline void check_cap_of_10(const ServerProcess& server, unsigned clients, std::uint64_t replaced) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t most = 12;
  constexpr auto hold = 250ms;
  using Clock = std::chrono::steady_clock;
  std::map<std::uint64_t, Clock::time_point> last_below;  // by slot and child
  std::uint64_t too_far = 0, gone = 0;
  Load load(server.address(), clients);
  const auto end = Clock::now() + patience;
  while (gone < replaced && Clock::now() < end) {
    const auto before = Clock::now();
    const ServiceSnapshot service = server.service();
    const auto after = Clock::now();
    gone = service.children_gone;
    for (const auto& slot : service.slots) {
      const auto [below, is_new] =
          last_below.try_emplace((std::uint64_t{slot.index} << 32U) + slot.incarnation, before);
      if (slot.figures.accepted < most)
        below->second = before;
      else if (slot.figures.accepted > most && !is_new && after - below->second < hold)
        too_far = std::max(too_far, slot.figures.accepted);
    }
  }
  CHECK(gone >= replaced);
  CHECK(too_far == 0);
  CHECK(load.stop().failed() == 0);
}

}  // namespace brood::test
