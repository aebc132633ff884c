// SPDX-License-Identifier: MIT
// Looks at a server: its scoreboard, the queues of its listeners, and some of its processes. The server does
// nothing for it.
#pragma once

#include <string>
#include <utility>

#include "ctl/top/frame.hpp"
#include "ctl/top/model.hpp"
#include "ctl/top/processes.hpp"

namespace brood::ctl {

class Observer {
 public:
  explicit Observer(std::string scoreboard) : scoreboard_(std::move(scoreboard)) {}

  // Reads the scoreboard again. If that fails, the model stays and tells why.
  void look(Model& model) const;
  // The processes of the children that are shown, or of all if they are sorted by what is read here.
  void look_at_processes(Model& model, const View& view, std::size_t room);

 private:
  std::string scoreboard_;
  Processes processes_;
};

}  // namespace brood::ctl
