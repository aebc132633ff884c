// SPDX-License-Identifier: MIT
// The rule for exceptions, in all child models: an exception that leaves a handler is logged and ends its
// connection, which counts as failed. It never ends the child.
#pragma once

#include <string>

#include "brood/child.hpp"

namespace brood {

// Called within a catch block: logs the exception. `whose`: "connection from 127.0.0.1:4711".
Outcome log_failure(const std::string& whose);

// `whose` is a function, which is called only if there is something to log.
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
