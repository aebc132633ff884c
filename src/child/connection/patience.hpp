// SPDX-License-Identifier: MIT
// How long a client may keep its child waiting while other clients wait for a child. Pure.
#pragma once

#include <chrono>
#include <cstdint>

namespace brood {

// longest / (1 + 32 * waiting / places): half of `longest` if one client waits for 32 places, and the less
// the more wait, at least shortest_patience. If everybody in front of it is slow, the last one in the queue
// waits for waiting / places times that, which is below longest / 32. Each KiB that the client has sent gives
// it that time again: it is judged by its rate, and the more wait, the higher the rate must be.
std::chrono::nanoseconds patience_with(std::chrono::nanoseconds longest, unsigned waiting, unsigned places,
                                       std::uint64_t bytes);

inline constexpr std::chrono::milliseconds shortest_patience{5};
inline constexpr double crowd_weight = 32;
inline constexpr double bytes_for_patience = 1024;
// A child that waits for its client asks again after this time at the latest: the queue may have grown.
inline constexpr std::chrono::milliseconds patience_check_interval{100};

}  // namespace brood
