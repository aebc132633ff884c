// SPDX-License-Identifier: MIT
// Reads and writes sizes in bytes as settings have them, exactly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brood {

// "512", "64K", "10M", "1G", "2T", "0". Throws ConfigurationError.
std::uint64_t parse_size(std::string_view word, std::uint64_t lowest, std::uint64_t highest);
// In the largest unit in which it is a whole number, as parse_size() reads it: "1536", "3M".
std::string write_size(std::uint64_t bytes);

}  // namespace brood
