// SPDX-License-Identifier: MIT
// A FIFO as a listener: made, or taken over from a server that is no more. Parent only.
#pragma once

#include "base/address.hpp"
#include "brood/descriptor.hpp"

namespace brood {

// Open for reading and writing: its end never comes, whatever writers do. A FIFO that is there already is
// reused, so that a writer who waits in open() for a reader gets one: if it belongs to this user or to the
// owner that `spec` names, and nobody reads from it. Throws.
Descriptor open_fifo(const ListenSpec& spec);

}  // namespace brood
