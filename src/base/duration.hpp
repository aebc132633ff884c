// SPDX-License-Identifier: MIT
// Numbers and durations as an operator writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace brood {

// All of `word` as a number without sign. Empty: not digits alone; beyond 64 bits it is the highest there is,
// which every bound refuses.
std::optional<std::uint64_t> parse_digits(std::string_view word);

// "250ms", "30s", "5m", "1h", "2d", "0". Throws ConfigurationError with what is wrong with it.
std::chrono::milliseconds parse_duration(std::string_view word, std::chrono::milliseconds lowest,
                                         std::chrono::milliseconds highest);

}  // namespace brood
