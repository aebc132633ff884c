// SPDX-License-Identifier: MIT
// Prints figures for people, and text from other processes so that it is safe on a terminal. Durations are
// printed by text() of base/text.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood {

std::string bytes(std::uint64_t count);    // "512 B", "1.2 MiB"
std::string percent(double share);         // "0.1%", "12%"
std::string grouped(std::uint64_t count);  // "18,204"
// The upper end of a bucket of latencies: "under 512us", "under 4.1ms".
std::string upper_end(std::chrono::microseconds latency);
std::string count_of(std::uint64_t count, std::string_view noun);  // "1 child", "3 children", "2 connections"

// Every byte but printable ASCII as \xNN: a terminal executes none of it, and each byte has a known width.
std::string harmless(std::string_view text);

}  // namespace brood
