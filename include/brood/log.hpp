// SPDX-License-Identifier: MIT
// The log of the server, for handlers and hooks. May be used in any process of the server and any thread. A
// message is one line: control characters are escaped, so that data from a client cannot forge a line.
#pragma once

#include "brood/cxx20.hpp"

#include <string_view>

namespace brood {

enum class LogLevel { debug, info, warning, error };

void log(LogLevel level, std::string_view message);

inline void log_debug(std::string_view message) { log(LogLevel::debug, message); }
inline void log_info(std::string_view message) { log(LogLevel::info, message); }
inline void log_warning(std::string_view message) { log(LogLevel::warning, message); }
inline void log_error(std::string_view message) { log(LogLevel::error, message); }

}  // namespace brood
