// SPDX-License-Identifier: MIT
// Reads and writes durations as settings have them, exactly. text() prints them for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood {

// The whole word as a number without a sign. Empty: there is something else than digits. A number beyond 64
// bits becomes the highest number, which is above every bound.
std::optional<std::uint64_t> parse_digits(std::string_view word);

// "250ms", "30s", "5m", "1h", "2d", "0". Throws ConfigurationError.
std::chrono::milliseconds parse_duration(std::string_view word, std::chrono::milliseconds lowest,
                                         std::chrono::milliseconds highest);
// In the largest unit in which it is a whole number, as parse_duration() reads it: "1500ms", "90s", "2m".
std::string write_duration(std::chrono::milliseconds duration);

}  // namespace brood
