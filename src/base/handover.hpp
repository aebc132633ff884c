// SPDX-License-Identifier: MIT
// Records that cross an exec(), from one program of a process to the next. They stand in memory without a
// name; an environment variable has its descriptor.
#pragma once

#include <optional>
#include <vector>

#include "base/wire_record.hpp"
#include "brood/descriptor.hpp"

namespace brood {

using Handover = std::vector<WireRecord>;

// The memory, which stays open over exec(). Throws SystemError.
Descriptor write_handover(const Handover& handover);

// Reads what the environment's `variable` ("DESCRIPTOR:PID") names, if it is set and meant for this process.
// Closes the descriptor and removes the variable, so that programs which this one starts don't find it.
// Throws Error if it can't be read.
std::optional<Handover> read_handover(const char* variable);
// The variable's value; `reader`: the process that will read it.
std::string handover_address(const Descriptor& descriptor, pid_t reader);

// Every descriptor of ours is closed by exec(), unless this was called.
void keep_over_exec(int descriptor);
// A descriptor that has crossed an exec(): the next exec() closes it. Throws SystemError if it is not open.
Descriptor receive_descriptor(int descriptor);
// Of all records, also of unknown kinds: the fields whose names end in "descriptor".
std::vector<int> descriptors_of(const Handover& handover);

}  // namespace brood
