// SPDX-License-Identifier: MIT
// broodctl status: reads a scoreboard, judges it, prints it.
#pragma once

#include <string>

namespace brood::ctl {

struct StatusRequest {
  std::string server;             // NAME, PATH, or "" for the only one
  std::string runtime_directory;  // "": the default one
  bool json = false;
};

int status(const StatusRequest& request);  // the exit code; throws Failure

}  // namespace brood::ctl
