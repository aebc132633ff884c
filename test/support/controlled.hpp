// SPDX-License-Identifier: MIT
// Two services under one parent, and broodctl to give them orders.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "broodctl.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

// Their settings stand in a file, which can be written anew.
class Controlled {
 public:
  explicit Controlled(const std::string& left = "", const std::string& shared = "")
      : written_(write(left, shared)),
        server({"--config=" + settings()}, {.program = "brood-two-test-servers", .listen = false}) {}

  std::string settings() const { return directory_ / "two.conf"; }
  bool write(const std::string& left, const std::string& shared = "") const {
    write_file(settings(), "start-servers = 3\nmin-spare-servers = 2\nmax-spare-servers = 4\n" + shared +
                               "\n[left]\nlisten = 127.0.0.1:0\n" + left +
                               "\n[right]\nlisten = 127.0.0.1:0\n");
    return true;
  }

  CtlAnswer ask(const std::string& order) const { return test::ask(server, order); }

  ServiceSnapshot left() const { return server.snapshot().services.at(0); }
  ServiceSnapshot right() const { return server.snapshot().services.at(1); }
  static std::vector<pid_t> pids(const ServiceSnapshot& service) {
    std::vector<pid_t> pids;
    for (const auto& slot : service.slots)
      if (slot.pid > 0) pids.push_back(slot.pid);
    std::sort(pids.begin(), pids.end());
    return pids;
  }
  // Where left listens now: port 0 is another one after each start.
  Client to_left() const { return Client(left().listeners); }
  Client to_right() const { return Client(right().listeners); }
  // Until left has what it started with.
  bool settles() const {
    return eventually([&] { return left().idle >= 3 && right().idle >= 3 && left().leaving == 0; });
  }

 private:
  TemporaryDirectory directory_;
  bool written_;

 public:
  ServerProcess server;
};

}  // namespace brood::test
