// SPDX-License-Identifier: MIT
// Everything that a child gets from its parent. Written by the parent before fork(), or before exec() of a
// child that is a program of its own (models/child_handover).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/identity.hpp"
#include "brood/child.hpp"
#include "listen/child_listener.hpp"

namespace brood {

class Scoreboard;
class ServerBase;

struct ChildSetup {
  ServerBase* server;
  const Scoreboard* scoreboard;
  std::uint32_t service, slot;           // indices in the scoreboard
  int wake_fd;                           // the parent's eventfd; not owned
  std::vector<ChildListener> listeners;  // at least one
  Identity identity;                     // user, groups and root directory of the child
  pid_t parent;
  ChildLimits limits;
};

}  // namespace brood
