// SPDX-License-Identifier: MIT
// A server whose children are a program, and programs for it.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

// The settings of a service that runs `command`.
inline std::vector<std::string> runs(const std::string& command, const std::string& gets,
                                     const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"--command=" + command, "--command-gets=" + gets};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

inline ServerOptions host() { return {.program = "brood-command-host"}; }
inline ServerOptions host_that_fails() { return {.program = "brood-command-host", .wait_ready = false}; }

// A program in shell, or in another language, with a directory of its own.
class Script {
 public:
  explicit Script(const std::string& lines, const std::string& interpreter = "/bin/sh")
      : interpreter_(interpreter) {
    write(lines);
  }
  // In place of the one that was there: who runs it goes on with the old one.
  void write(const std::string& lines) {
    write_file(place_ / "new", "#!" + interpreter_ + "\n" + lines + "\n");
    std::filesystem::permissions(place_ / "new", std::filesystem::perms::owner_all);
    std::filesystem::rename(place_ / "new", path());
  }
  std::string path() const { return place_ / "script"; }
  std::string place(const std::string& name) const { return place_ / name; }

 private:
  const std::string interpreter_;
  TemporaryDirectory place_;
};

inline const char* const python = "/usr/bin/env python3";

// What a process has open, by descriptor.
inline std::vector<std::pair<int, std::string>> open_in(pid_t pid) {
  std::vector<std::pair<int, std::string>> all;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ignored))
    all.emplace_back(std::stoi(entry.path().filename()),
                     std::filesystem::read_symlink(entry, ignored).string());
  return all;
}

inline std::string program_of(pid_t pid) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", ignored).string();
}

// Ends the parent: who waits for connections is gone, and who has one in hand finishes it first.
inline void check_orphans_leave(ServerProcess& server, const std::string& question,
                                const std::string& answer) {
  Client client = server.connect();
  const pid_t busy = client.child();
  const auto children = server.children();
  server.signal(SIGKILL);
  server.wait_exit();
  for (const pid_t child : children)
    if (child != busy) CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(client.ask(question) == answer);
  CHECK(is_alive(busy));
  client.close();
  CHECK(eventually([&] { return !is_alive(busy); }));
}

}  // namespace brood::test
