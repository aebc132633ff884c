// SPDX-License-Identifier: MIT
// Writes the stack of the calling thread down, in a signal handler: without memory, locks and system calls.
// The unwinder of libgcc finds its tables through _dl_find_object(), which takes no lock.
#pragma once

#include "scoreboard/evidence.hpp"

namespace brood {

// Of what the signal has interrupted. `context`: the third argument of the handler. Each frame counts as soon
// as it is written, so that what a second fault leaves is of use.
void write_stack(Evidence& to, void* context);

// In the parent, before the first fork: what the unwinder does once is done then, and its pages are shared.
// Also finds the path of this program, which the loader does not know.
void prepare_stack_walks();

}  // namespace brood
