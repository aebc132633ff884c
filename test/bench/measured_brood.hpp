// SPDX-License-Identifier: MIT
// The program brood with a directory of services, in a directory of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "measured_server.hpp"

namespace brood::bench {

struct ServiceFile {
  std::string name;
  Words lines;  // "built-in = echo"; where to listen is added
};

class MeasuredBrood {
 public:
  // Returns when it is ready.
  explicit MeasuredBrood(const std::vector<ServiceFile>& services);

  MeasuredServer& server() { return *server_; }
  pid_t pid() { return server_->program().pid(); }
  // kill -9 of the parent, and a new one at once in the same place; its children are left to themselves.
  void kill_parent();
  void start();

  ServiceSnapshot service(const std::string& name) const;
  std::string address_of(const std::string& name) const { return service(name).listeners; }
  std::vector<pid_t> children_of(const std::string& name) const;
  // broodctl's exit code; what it prints goes to control_output().
  int control(const Words& words) const;
  std::string control_output() const { return read_file(directory_ / "control"); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<MeasuredServer> server_;
};

// Connects, says a line, waits for the answer, and closes. How long it took, from connect() to the first
// byte. Throws std::runtime_error where there was none.
std::chrono::nanoseconds ask_once(const std::string& address);

}  // namespace brood::bench
