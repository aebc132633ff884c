// SPDX-License-Identifier: MIT
// A listener as a child has it: inherited, shared with its siblings.
#pragma once

#include <optional>
#include <string>

#include "brood/child_model.hpp"

namespace brood {

struct ChildListener {
  int descriptor;
  std::string name;
  std::optional<TriggerKind> trigger;  // what it brings, where that is no connection and no datagram
  bool wakes_all = false;              // a read that blocks would wake all who wait: wait for it in epoll
  bool gone = false;                   // the parent has closed it
};

}  // namespace brood
