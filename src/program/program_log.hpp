// SPDX-License-Identifier: MIT
// How a program reports before the parent runs: the terminal and the log.
#pragma once

#include <string>
#include <string_view>

#include "base/log/log_target.hpp"
#include "settings/service_source.hpp"

namespace brood {

LogTarget log_target(const Configuration& configuration);

// Each opens logs that the settings name, and changes nothing: all of them, throws SystemError; that of the
// server; that of a service, whose mistake it is if that fails. The latter two are looked up.
void try_logs(const WantedSettings& wanted);
void look_up_log(const LogTarget& target);
void look_up_log(WantedService& service, const Configuration& server);

void print_errors(std::string_view lines);  // to standard error
// To the log, and to standard error if the log is elsewhere.
void report_errors(std::string_view lines, const Configuration& configuration);

}  // namespace brood
