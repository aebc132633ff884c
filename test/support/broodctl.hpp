// SPDX-License-Identifier: MIT
// The program broodctl, run for its answer.
#pragma once

#include <chrono>
#include <string>

#include "server_process.hpp"

namespace brood::test {

struct CtlAnswer {
  int code = -1;     // -1: it was ended by a signal
  std::string text;  // of both outputs
  bool says(const std::string& part) const { return text.find(part) != std::string::npos; }
};

// `arguments` and `before` are for a shell. Waits for its end.
CtlAnswer broodctl(const std::string& arguments, const std::string& before = "");

// Arguments: an order to this server, among all that run.
inline std::string to(const ServerProcess& server, const std::string& order) {
  return "--server=" + server.scoreboard() + " " + order;
}
inline CtlAnswer ask(const ServerProcess& server, const std::string& order, const std::string& before = "") {
  return broodctl(to(server, order), before);
}

// One that goes on by itself, until its answer is asked for. It is killed with this.
class BroodctlProcess {
 public:
  explicit BroodctlProcess(const std::string& arguments, const std::string& before = "");
  ~BroodctlProcess() { kill(); }
  BroodctlProcess(const BroodctlProcess&) = delete;
  BroodctlProcess& operator=(const BroodctlProcess&) = delete;

  bool has_ended();
  CtlAnswer wait();  // code -1 where it doesn't end
  void kill();

 private:
  int pid_ = -1;
  int status_ = 0;
  std::string output_;
};

}  // namespace brood::test
