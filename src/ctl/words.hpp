// SPDX-License-Identifier: MIT
// Figures as people read them, and text that came from elsewhere, made harmless for a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood::ctl {

std::string duration(
    std::chrono::nanoseconds time);        // "3ms", "4.2s", "12m34s", "2h13m", "12d04h": 7 columns at most
std::string bytes(std::uint64_t count);    // "512 B", "1.2 MiB"
std::string grouped(std::uint64_t count);  // "18,204"
std::string time_taken(std::uint64_t milliseconds);  // "12 ms", "0.4 s"
std::string upper_end(
    std::chrono::microseconds latency);  // of a bucket of latencies: "under 512 us", "under 4.1 ms"
std::string count_of(std::uint64_t count, std::string_view noun);  // "1 child", "3 children", "2 connections"

// Printable ASCII as it is, all other bytes as \xNN: neither an escape sequence nor a character that is shown
// in another place can come through, and a byte's width is known.
std::string harmless(std::string_view text);

}  // namespace brood::ctl
