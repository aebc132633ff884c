// SPDX-License-Identifier: MIT
// How much waits in the queue of a listener.
#pragma once

#include "brood/child_model.hpp"

namespace brood {

// For TCP the exact number, from TCP_INFO. For unix sockets the exact number, from sock_diag(7), or 1 for
// "some" if that fails. For datagrams and triggers 1 for "some".
unsigned count_backlog(int listener, WorkKind brings);

}  // namespace brood
