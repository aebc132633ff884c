// SPDX-License-Identifier: MIT
// A server whose program can be replaced: a copy in a directory of its own, beside its settings file.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

// What a process has open, without the numbers.
inline std::vector<std::string> descriptors_of_process(pid_t pid) {
  std::vector<std::string> all;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone))
    all.push_back(std::filesystem::read_symlink(entry.path(), gone).string());
  std::sort(all.begin(), all.end());
  return all;
}

class Upgradeable {
 public:
  explicit Upgradeable(std::vector<std::string> arguments = {}, const std::string& settings = "",
                       ServerOptions options = {})
      : program(installed(options.program)),
        configured(write_settings(settings)),
        server(with_settings(std::move(arguments)), at_its_place(options)) {}

  // A program of the build directory; a script; any file. Each takes the place in one step, as a package
  // manager does it.
  void install(const std::string& built) { installed(built); }
  void install_script(const std::string& lines) { install_file("#!/bin/sh\n" + lines + "\n"); }
  void install_file(const std::string& content) {
    write_file(place / "new", content);
    take_place();
  }
  bool write_settings(const std::string& settings) {
    write_file(place / "settings.conf", settings);
    return true;
  }

  // Sends the signal, and waits for what comes of it.
  bool upgrade() {
    const unsigned before = count("info: upgraded: ");
    server.signal(SIGUSR2);
    return eventually_counts("info: upgraded: ", before + 1);
  }
  bool upgrade_is_refused(const std::string& why) {
    const unsigned before = count("error: upgrade refused: ");
    server.signal(SIGUSR2);
    return eventually_counts("error: upgrade refused: ", before + 1) && server.wait_for_log(why);
  }
  unsigned count(const std::string& text) const { return server.count_in_log(text); }
  bool eventually_counts(const std::string& text, unsigned number) const {
    const bool came = eventually([&] { return count(text) >= number; });
    if (!came) MESSAGE("not so often in the log: '" << text << "'; the log:\n" << server.log());
    return came;
  }

  std::vector<std::string> descriptors() const {
    return at_rest(server.pid(), [this] { return descriptors_of_process(server.pid()); });
  }

  TemporaryDirectory place;
  std::string program;
  bool configured;
  ServerProcess server;

 private:
  std::string installed(const std::string& built) {
    std::filesystem::permissions(place.path(), std::filesystem::perms(0755));  // for other users
    std::filesystem::copy_file(std::string(BROOD_PROGRAMS "/") + built, place / "new");
    take_place();
    return place / "server";
  }
  void take_place() const {
    std::filesystem::permissions(place / "new", std::filesystem::perms(0755));
    std::filesystem::rename(place / "new", place / "server");
  }
  std::vector<std::string> with_settings(std::vector<std::string> arguments) const {
    arguments.push_back("--config=" + (place / "settings.conf"));
    return arguments;
  }
  ServerOptions at_its_place(ServerOptions options) const {
    options.program = program;
    return options;
  }
};

}  // namespace brood::test
