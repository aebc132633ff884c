// SPDX-License-Identifier: MIT
// A program of the kit's that a parent has started to be its child: it takes over the slot that was handed to
// it, and is no parent of its own. Its settings are read for what is the server's own; the kit's are the
// parent's to say.
#pragma once

#include <span>
#include <string>

#include "base/handover.hpp"
#include "program/program_settings.hpp"

namespace brood {

// Until the child has left; the exit code. Whatever goes wrong is told in the parent's log.
int run_as_child(const Handover& handover, std::span<const NamedServer> servers, const std::string& program,
                 std::span<const char* const> arguments);

}  // namespace brood
