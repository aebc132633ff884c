// SPDX-License-Identifier: MIT
// A program of the kit that another parent has executed as its child: it takes the slot that was handed over,
// and is no parent itself. Of its settings only the server's own count; the parent's count for the rest.
#pragma once

#include <span>
#include <string>

#include "base/handover.hpp"
#include "program/program_settings.hpp"

namespace brood {

// Runs until the child has left; returns the exit code. Errors go to the parent's log.
int run_as_child(const Handover& handover, std::span<const NamedServer> servers, const std::string& program,
                 std::span<const char* const> arguments);

// Whether this process is to check only the settings that it would have as such a child
// (models/programs/settings_check.hpp).
bool is_checked_as_child();
// Returns an exit code. Throws ConfigurationError with the mistakes.
int check_as_child(std::span<const NamedServer> servers, const std::string& program,
                   std::span<const char* const> arguments);

}  // namespace brood
