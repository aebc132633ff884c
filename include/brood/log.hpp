// SPDX-License-Identifier: MIT
// The server's log, for handlers and hooks. Any process of the server, any thread. A message is one line:
// control characters in it are escaped, so that what a client sent can't forge a line.
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
