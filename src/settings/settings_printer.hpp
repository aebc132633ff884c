// SPDX-License-Identifier: MIT
// Prints a table of settings as a file that can be read again (--print-config, etc/*.conf).
#pragma once

#include <string>

#include "settings/settings_reader.hpp"

namespace brood {

// Each setting with its help and its value. If the value is not the default, its place follows in a comment.
std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title);

}  // namespace brood
