// SPDX-License-Identifier: MIT
// How a program reports before the parent runs: the terminal and the log.
#pragma once

#include <string>
#include <string_view>

#include "base/log/log_target.hpp"
#include "settings/configuration.hpp"

namespace brood {

LogTarget log_target(const Configuration& configuration);

void print_errors(std::string_view lines);  // to standard error
// To the log, and to standard error if the log is elsewhere.
void report_errors(std::string_view lines, const Configuration& configuration);

}  // namespace brood
