// SPDX-License-Identifier: MIT
// HAProxy in front of servers, where it is installed.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "loopback_listener.hpp"
#include "server_process.hpp"

namespace brood::test {

class HaProxy {
 public:
  static bool is_installed();
  static bool accepts(const std::string& settings);  // a file

  // `servers`: the lines of its backend. `more`: further sections.
  explicit HaProxy(const std::string& servers, const std::string& more = "");
  ~HaProxy();
  HaProxy(const HaProxy&) = delete;
  HaProxy& operator=(const HaProxy&) = delete;

  std::string address() const;  // where it takes connections
  // What it knows of a server: the columns of "show stat".
  std::map<std::string, std::string> state_of(const std::string& server) const;
  bool shows(const std::string& server, const std::string& status) const;  // waits for it
  std::string output() const;

 private:
  TemporaryDirectory directory_;
  LoopbackListener front_;
  pid_t pid_ = -1;
};

}  // namespace brood::test
