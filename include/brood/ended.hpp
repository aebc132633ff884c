// SPDX-License-Identifier: MIT
// A connection that has ended, as on_connection_end() and the access log see it.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "brood/address.hpp"
#include "brood/scoreboard_types.hpp"

namespace brood {

// The views are valid during the call only.
struct Ended {
  Address peer;               // Address::Family::other: there is none, as for a trigger
  std::string_view listener;  // its name in the configuration, or its address
  std::string_view note;      // as the handler set it last
  // In the queue of the listener, from the end of the handshake to accept(). Empty: it was not measured
  // (this_child::measure_wait()), or is no TCP connection.
  std::optional<std::chrono::milliseconds> waited;
  std::chrono::nanoseconds duration{};  // from accept() to now
  std::uint64_t bytes_read = 0, bytes_written = 0;
  Outcome outcome = Outcome::served;
};

}  // namespace brood
