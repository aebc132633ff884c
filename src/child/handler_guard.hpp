// SPDX-License-Identifier: MIT
// The exception rule, one for all child models: an exception that leaves a handler ends its connection, is
// logged and counted, and never ends the child.
#pragma once

#include <string>

#include "brood/child.hpp"

namespace brood {

// Within a catch block: logs the exception. `whose`: "connection from 127.0.0.1:4711".
Outcome log_failure(const std::string& whose);

// `whose` is a function: it is asked only where there is something to log.
template <typename Handler, typename Whose>
Outcome guard_handler(const Handler& handler, const Whose& whose) {
  try {
    handler();
    return Outcome::served;
  } catch (...) {
    return log_failure(whose());
  }
}

}  // namespace brood
