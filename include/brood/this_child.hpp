// SPDX-License-Identifier: MIT
// What a handler can ask of the child that it runs in. As std::this_thread, for the process.
#pragma once

#include "brood/cxx20.hpp"

namespace brood::this_child {

// This child leaves: it accepts nothing more, finishes what it has in hand, and exits with code 0; the parent
// replaces it as any other. Returns at once. In a child, any thread, any child model, from on_child_start()
// on; safe in a signal handler. Elsewhere it throws brood::Error. A child that never had a connection has
// failed at its start, as ever: the next one is started later.
void stop();

// This child hands its slot back, so that another one can take its place, and lives on to finish what it has
// in hand: connections, and handlers in other threads as well. It accepts nothing more, and exits when the
// last handler has returned. For broodctl what is in hand counts as finished now; bytes that follow are not
// counted, and connection-timeout is no longer about it. The operator's detach-timeout is: what is over it
// gets SIGABRT, then SIGKILL. Detached children count against max-clients.
//
// From a handler, in any child model. False: there is no slot to hand back, before the child serves
// (on_child_start) or when the parent is gone; the child leaves as after stop(). Not in a child: throws
// brood::Error.
bool detach();

}  // namespace brood::this_child
