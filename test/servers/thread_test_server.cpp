// SPDX-License-Identifier: MIT
// A test_server whose handlers may run in several threads. A line each:
//
//   the commands of common_commands.hpp; "flood" ends the connection
//   bye         answers "bye" and ends the connection
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "brood/error.hpp"
#include "brood/server.hpp"
#include "brood/settings.hpp"
#include "common_commands.hpp"

namespace {

class ThreadTestServer : public brood::Server {
  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    settings.number("child-memory", child_memory_, 0, 1'000'000,
                    "How many MiB of address space each child may add to what it has; 0: no limit.");
  }

  void on_child_start() override {
    if (child_memory_ == 0) return;
    unsigned long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t now = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
    const rlimit limit{now + (static_cast<rlim_t>(child_memory_) << 20U), RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw brood::SystemError("setrlimit", errno);
  }

  void on_child_leaving() override { brood::test::log_leaving(); }

  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line())
      if (!obey(connection, *line)) return;
  }

  // False: the connection ends.
  static bool obey(brood::Connection& connection, const std::string& line) {
    const auto command = brood::test::parse_command(line);
    brood::test::obey_common(connection, command);
    if (command.name == "bye") brood::test::answer(connection, "bye");
    return command.name != "bye" && command.name != "flood";
  }

  unsigned child_memory_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return ThreadTestServer().run(argc, argv); }
