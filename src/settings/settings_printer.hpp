// SPDX-License-Identifier: MIT
// Prints a table of settings as a file that can be read again (--print-config, etc/*.conf).
#pragma once

#include <string>

#include "settings/settings_reader.hpp"

namespace brood {

// Each setting with its help and its value. If the value is not the default, its place follows in a comment.
// What values a setting may have, and which one it has: "(number from 1 to 100; default: 5)".
std::string allowed_and_default(const Setting& setting);

std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title);

}  // namespace brood
