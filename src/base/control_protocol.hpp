// SPDX-License-Identifier: MIT
// What the parent and broodctl agree on: the path of the control socket, and the codes of answers. Requests
// and answers are lines of wire records (wire_record.hpp).
#pragma once

#include <string>

namespace brood {

// The path of the control socket that belongs to a scoreboard.
std::string control_path(const std::string& scoreboard);

// How a request ended: the codes of the parent's answers and the exit codes of broodctl. From 64 on they are
// those of <sysexits.h>. 78, ExitCode::configuration, is one of them, too.
namespace outcome {
inline constexpr int done = 0;
inline constexpr int warning = 1;   // broodctl status
inline constexpr int critical = 2;  // broodctl status and list
inline constexpr int wrong_usage = 64;
inline constexpr int unavailable = 69;  // no server, or no such service any more
inline constexpr int internal_error = 70;
inline constexpr int failed = 71;  // children fail, or the system refused something
inline constexpr int output_failed = 74;
inline constexpr int try_again = 75;
inline constexpr int not_permitted = 77;
}  // namespace outcome

}  // namespace brood
