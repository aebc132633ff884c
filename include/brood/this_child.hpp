// SPDX-License-Identifier: MIT
// How a handler ends the child that it runs in. Outside a child these functions throw brood::Error.
#pragma once

#include "brood/cxx20.hpp"

namespace brood::this_child {

// Makes this child leave. It accepts no more connections, finishes its open connections, and exits with code
// 0; the parent replaces it. Returns at once. Any thread, any child model, from on_child_start() on, and in a
// signal handler. If it is called before the first connection of the child, the child counts as a failed
// start, and the next one is started later.
void stop();

// Makes this child leave, and gives its slot back at once, so that another child takes its place while this
// one finishes its open connections, those of other threads as well. It exits when the last handler has
// returned. From a handler, in any child model. False: there is no slot to give back, because the child does
// not serve yet or the parent is gone; the child then leaves as after stop().
//
// broodctl counts the open connections as finished now; later bytes are not counted. The parent no longer
// applies connection-timeout. A child that lives longer than detach-timeout gets SIGABRT, then SIGKILL.
// Detached children count against max-clients.
bool detach();

}  // namespace brood::this_child
