// SPDX-License-Identifier: MIT
// A load client: so many clients, each of which connects, says something, waits for the answer and begins
// again without pause. One thread, epoll. It says of each connection that was not answered why not.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "latencies.hpp"

namespace brood::bench {

struct LoadPlan {
  std::string address;  // "127.0.0.1:8000", "unix:/path"
  unsigned concurrency = 1;
  std::uint64_t connections = 0;         // 0: no limit
  std::chrono::nanoseconds duration{0};  // 0: no limit; connections in hand at its end are still finished
  std::string payload = "hello\n";       // an answer is whole when it ends with a newline
  bool keep_alive = false;               // one connection a client, and exchange after exchange on it
  std::chrono::nanoseconds hold{0};      // how long a connection stays open after its answer
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // for each answer

  std::function<void(std::string_view)> on_answer;        // without its newline
  std::function<void(const struct LoadResult&)> on_look;  // a few times a second
};

// Why a connection was not answered.
enum class Failure : std::uint8_t {
  refused,    // nobody listens
  reset,      // it stood, and was reset before the answer was whole
  closed,     // it was closed before the answer was whole
  timed_out,  // no connection, or no whole answer, within the timeout
  other,      // LoadResult::other_error says what
};
inline constexpr std::array<std::string_view, 5> failure_names = {"refused", "reset", "closed without answer",
                                                                  "timed out", "other"};

struct LoadResult {
  std::uint64_t answered = 0;           // exchanges
  std::uint64_t in_time = 0;            // of those: within the duration
  std::chrono::nanoseconds elapsed{0};  // at most the duration
  std::array<std::uint64_t, failure_names.size()> failures{};
  int other_error = 0;  // errno of the first failure of the kind "other"
  Latencies first_byte, whole;

  std::uint64_t count(Failure kind) const { return failures[static_cast<std::size_t>(kind)]; }
  std::uint64_t failed() const;
  // Connections that stood and were not answered.
  std::uint64_t lost() const { return count(Failure::reset) + count(Failure::closed); }
  double rate() const;                    // exchanges a second
  std::string describe_failures() const;  // "3 refused, 1 reset", or "none"
};

// The view from another thread.
struct LoadWatch {
  std::atomic<bool> stop{false};  // finish what stands, begin nothing, end
  std::atomic<std::uint64_t> answered{0};
};

// Throws brood::Error-free std::invalid_argument for an address that it can't read, std::system_error where
// epoll fails.
LoadResult run_load(const LoadPlan& plan, LoadWatch& watch);

}  // namespace brood::bench
