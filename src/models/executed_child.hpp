// SPDX-License-Identifier: MIT
// The life of a child whose service runs a program: it becomes that program, or runs it for each connection.
// The caller has given up what is the parent's alone.
#pragma once

#include "base/service_command.hpp"
#include "child/child_setup.hpp"
#include "scoreboard/mapping.hpp"

namespace brood {

// `table`: the scoreboard's descriptors, for the program that takes the slot; others don't get them. Returns
// an exit code, or (where the child has become the program) never.
int execute(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table);

// A copy of them for one child, from before it gives the parent's up; none where its program takes no slot.
MappingDescriptors for_child(const ServiceCommand& command, const MappingDescriptors& parents);

}  // namespace brood
