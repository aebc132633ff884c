// SPDX-License-Identifier: MIT
// What a load found.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "load/latencies.hpp"

namespace brood::load {

// Why a connection was not answered.
enum class Failure : std::uint8_t {
  refused,    // nobody listens
  reset,      // it stood, and was reset before the answer was whole
  closed,     // it was closed before the answer was whole
  timed_out,  // no connection, or no whole answer, within the timeout
  malformed,  // this is no answer
  wrong,      // it is one, but not the one that was expected
  other,      // LoadResult::other_error says what
};
inline constexpr std::array<std::string_view, 7> failure_names = {
    "refused", "reset", "closed without answer", "timed out", "malformed", "wrong", "other"};

Failure kind_of(int error_number);

struct LoadResult {
  std::uint64_t answered = 0;           // exchanges, as expected
  std::uint64_t in_time = 0;            // of those: within the duration
  std::chrono::nanoseconds elapsed{0};  // at most the duration
  std::uint64_t standing = 0;           // connections, now
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::array<std::uint64_t, failure_names.size()> failures{};
  int other_error = 0;  // errno of the first failure of the kind "other"
  Latencies first_byte, whole;

  // HTTP
  std::array<std::uint64_t, 6> statuses{};  // by their first digit
  std::uint64_t announced_closes = 0;       // "Connection: close" in an answer to who wanted to stay

  std::uint64_t count(Failure kind) const { return failures[static_cast<std::size_t>(kind)]; }
  std::uint64_t failed() const;
  // Connections that stood and were not answered.
  std::uint64_t lost() const { return count(Failure::reset) + count(Failure::closed); }
  double rate() const;                    // exchanges a second
  std::string describe_failures() const;  // "3 refused, 1 reset", or "none"
};

}  // namespace brood::load
