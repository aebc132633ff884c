// SPDX-License-Identifier: MIT
// The event test_server as the tests of the event loop start it: with one thread a child, and with four.
#pragma once

#include <doctest/doctest.h>

#include "server_process.hpp"

namespace brood::test {

inline const ServerOptions events{.program = "brood-event-test-server"};

// To be called first in a test case, which is run once for each.
inline std::string threads() {
  std::string number = "1";
  SUBCASE("one thread") {}
  SUBCASE("four threads") { number = "4"; }
  return "--threads-per-child=" + number;
}

}  // namespace brood::test
