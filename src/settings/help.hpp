// SPDX-License-Identifier: MIT
// What --help prints.
#pragma once

#include <string>

#include "settings/command_line.hpp"

namespace brood {

// Where settings of one service are written.
inline constexpr const char* in_sections = "in its section [SERVICE] of FILE";

// In lines of at most `width` bytes. `options`: those that only this program has.
std::string print_help(const Settings& settings, const std::string& program, std::size_t width,
                       const ProgramOptions& options = {}, const std::string& where = in_sections);

}  // namespace brood
