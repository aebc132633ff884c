// SPDX-License-Identifier: MIT
// Opens the FIFO of a listener: a new one, or one that a former server has left. Parent only.
#pragma once

#include "base/address.hpp"
#include "brood/descriptor.hpp"

namespace brood {

// It is opened for reading and writing, so that there is no end of file when writers close it. An existing
// FIFO is reused, because a writer may wait for a reader in open(); but only if it belongs to this user or to
// the owner in `spec`, and no other process reads from it. Throws SystemError, ConfigurationError or Error.
Descriptor open_fifo(const ListenSpec& spec);

}  // namespace brood
