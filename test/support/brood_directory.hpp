// SPDX-License-Identifier: MIT
// A directory of services for `brood`, and the server that runs it.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

// For defaults/: as few children as a service can have and still keep a spare, and one more.
inline const char* const one_child = "start-servers = 1\nmin-spare-servers = 1\nmax-spare-servers = 2\n";
inline const char* const two_children = "start-servers = 2\nmin-spare-servers = 1\nmax-spare-servers = 3\n";

class Directory {
 public:
  explicit Directory(const std::string& shared = "") {
    std::filesystem::create_directory(path() + "/defaults");
    write_file(path() + "/defaults/all.conf", shared);
  }
  std::string path() const { return directory_.path(); }
  std::string file(const std::string& service) const { return directory_ / (service + ".conf"); }

  void write(const std::string& service, const std::string& content) const {
    write_file(file(service), content);
  }
  // An echo service on a free port, or on a unix socket in this directory.
  void add(const std::string& service, const std::string& more = "") const {
    write(service, "built-in = echo\nlisten = 127.0.0.1:0\n" + more);
  }
  void add_unix(const std::string& service, const std::string& more = "") const {
    write(service, "built-in = echo\nlisten = " + address(service) + "\n" + more);
  }
  std::string address(const std::string& service) const {
    return "unix:" + (directory_ / (service + ".sock"));
  }
  void remove(const std::string& service) const { std::filesystem::remove(file(service)); }

 private:
  TemporaryDirectory directory_;
};

inline std::vector<std::string> in(const Directory& directory, std::vector<std::string> more = {}) {
  more.push_back("--config-directory=" + directory.path());
  return more;
}

inline ServerOptions brood_options(bool wait_ready = true) {
  return {.program = "brood", .listen = false, .wait_ready = wait_ready};
}

// Empty: there is none of that name.
inline std::optional<ServiceSnapshot> find_service(const ServerProcess& server, const std::string& name) {
  for (auto& service : server.snapshot().services)
    if (service.name == name) return service;
  return {};
}

inline std::vector<pid_t> pids_of(const ServerProcess& server, const std::string& service) {
  std::vector<pid_t> pids;
  if (const auto found = find_service(server, service))
    for (const auto& slot : found->slots)
      if (slot.pid > 0 && slot.state != SlotState::empty) pids.push_back(slot.pid);
  return pids;
}

// An echo service.
inline bool answers(const std::string& address) { return answers(address, "hello", "hello"); }

}  // namespace brood::test
