// SPDX-License-Identifier: MIT
// What a program leaves to the one that takes its place, or to one that it starts, over exec(): records in
// memory that has no name, behind a descriptor that an environment variable tells.
#pragma once

#include <optional>
#include <vector>

#include "base/wire_record.hpp"
#include "brood/descriptor.hpp"

namespace brood {

using Handover = std::vector<WireRecord>;

// Stays open over exec(). Throws SystemError.
Descriptor leave_handover(const Handover& handover);

// Takes what `variable` of the environment tells, if it is there and meant for this process
// ("DESCRIPTOR:PID"), and removes the variable: what this program starts is no heir. Closes the descriptor.
// Throws Error where it is told and can't be read.
std::optional<Handover> take_handover(const char* variable);
// The variable's content for a process to come.
std::string tell_handover(const Descriptor& descriptor, pid_t heir);

// Descriptors cross an exec() only when they are told to.
void keep_over_exec(int descriptor);
// One that came over: from here on it is ours alone. Throws Error where it is not open.
Descriptor take_descriptor(int descriptor);
// All that the records tell of: a field whose name ends in "descriptor" is one.
std::vector<int> descriptors_of(const Handover& handover);

}  // namespace brood
