// SPDX-License-Identifier: MIT
// The stack on which the handler of a fault runs in the main thread of a child, whose own may be full. Other
// threads have theirs from this_child::AlternateStack.
#pragma once

namespace brood {

void prepare_alternate_stack();             // in the parent: maps its memory
void use_alternate_stack_of_main_thread();  // in a child, for ever; a thread that has one keeps it

}  // namespace brood
