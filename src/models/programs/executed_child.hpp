// SPDX-License-Identifier: MIT
// The main function of a child whose service runs a program: the child becomes the program, or runs it for
// each connection. The caller has released what belongs to the parent alone.
#pragma once

#include "base/service/service_command.hpp"
#include "child/child_setup.hpp"
#include "scoreboard/mapping.hpp"

namespace brood {

// Returns an exit code, or does not return because the child has become the program. `table`: from
// for_child().
int execute(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table);

// The scoreboard's descriptors for one child, copied before it releases the parent's. Empty if its program
// takes no slot.
MappingDescriptors for_child(const ServiceCommand& command, const MappingDescriptors& parents);

}  // namespace brood
