// SPDX-License-Identifier: MIT
// What the parent and broodctl agree on: where the control socket is, and the codes of answers. A request and
// an answer are lines of records (record.hpp).
#pragma once

#include <string>

namespace brood {

// Of the socket beside a scoreboard.
std::string control_path(const std::string& scoreboard);

// Codes of <sysexits.h>: what the program that asked can do about it.
namespace refused {
inline constexpr int usage = 64;
inline constexpr int not_here = 69;
inline constexpr int failing = 71;
inline constexpr int not_now = 75;
inline constexpr int not_permitted = 77;
}  // namespace refused

}  // namespace brood
