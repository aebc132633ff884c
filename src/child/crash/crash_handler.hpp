// SPDX-License-Identifier: MIT
// A child that a signal ends writes its stack to its place on the scoreboard, and then ends as it would have
// ended: by the same signal, with the same core dump. Process-wide, as signal handlers are.
//
// Handlers that are set already stay (those of a sanitizer, say), and a handler that the server sets later
// takes the place of this one. A copy of the child (fork()), and a child that has given its slot back, write
// nothing.
#pragma once

#include <cstdint>

#include "scoreboard/child_slot.hpp"

namespace brood::crash_handler {

// In the parent, before the first fork: so the pages that the handler needs are shared.
void prepare();

// In the child, in its main thread, before code of the user's runs. The references must stay valid until the
// process ends.
void set_up(const ChildSlot& slot, Evidence& evidence, std::uint64_t incarnation);

}  // namespace brood::crash_handler
