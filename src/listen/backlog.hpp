// SPDX-License-Identifier: MIT
// What waits at a listener.
#pragma once

#include "brood/child_model.hpp"

namespace brood {

// Connections by TCP: exact, from TCP_INFO. By unix sockets: exact, from the kernel's socket diagnosis; where
// that can't be had, 1 for "some". So it is for datagrams and triggers.
unsigned count_backlog(int listener, WorkKind brings);

}  // namespace brood
