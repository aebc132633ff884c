// SPDX-License-Identifier: MIT
// broodctl convert: the configuration of another parent as a directory of services.
#pragma once

#include <string>

#include "ctl/convert/draft.hpp"
#include "ctl/invocation.hpp"

namespace brood::ctl {

namespace outcome_of_convert {
inline constexpr int something_lost = 1;
inline constexpr int mistakes = 65;     // EX_DATAERR
inline constexpr int no_input = 66;     // EX_NOINPUT
inline constexpr int file_exists = 73;  // EX_CANTCREAT
}  // namespace outcome_of_convert

// The kind of a file whose name leaves no doubt; "": it does.
std::string kind_of(const std::string& path);

// What was written, and what could not be translated.
std::string summary(const Conversion& conversion);

// Converts, prints what could not be translated, and returns the exit code. Throws Failure.
int convert(const Invocation& invocation);

}  // namespace brood::ctl
