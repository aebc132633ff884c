// SPDX-License-Identifier: MIT
#include "models/connection_outcome.hpp"

#include "brood/log.hpp"

namespace brood {

void log_too_old(const std::string& peer) {
  log_warning(connection_from(peer) + ": beyond connection-timeout; it is closed");
}

}  // namespace brood
