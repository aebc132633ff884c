// SPDX-License-Identifier: MIT
// The text of a service's file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

// A value in the form that a file has it, with quotes if it needs them.
std::string as_value(std::string_view value);
// Words in the form that "command" splits again.
std::string as_command(std::span<const std::string> words);

std::string as_file(const Draft& draft);

// "finger.conf"; if brood must not start it, "finger.conf.off".
std::string file_name(const Draft& service);

}  // namespace brood::ctl
