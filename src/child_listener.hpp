// SPDX-License-Identifier: MIT
// A listener as a child has it: inherited, shared with its siblings.
#pragma once

#include <string>

namespace brood {

struct ChildListener {
  int descriptor;
  std::string name;
  bool wakes_all = false;  // a read that blocks would wake all who wait: wait for it in epoll
  bool gone = false;       // the parent has closed it
};

}  // namespace brood
