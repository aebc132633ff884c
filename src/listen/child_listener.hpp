// SPDX-License-Identifier: MIT
// A listener as a child has it: inherited from the parent and shared with the other children.
#pragma once

#include <optional>
#include <string>

#include "brood/child_model.hpp"

namespace brood {

struct ChildListener {
  int descriptor;
  std::string name;
  std::optional<TriggerKind> trigger;  // the kind of its triggers, if it is a timer or a FIFO
  bool wakes_all = false;              // a blocking read would wake all children: wait for it in epoll
  bool proxy = false;                  // each connection begins with a PROXY header
  bool gone = false;                   // the parent has closed it; threads of the child take turns
};

}  // namespace brood
