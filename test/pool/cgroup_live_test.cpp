// SPDX-License-Identifier: MIT
// A server in a cgroup with limits: threads by its CPUs, and a warning of too many children. The limits are
// files of ours, in a mount namespace.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

class Cgroup {
 public:
  // Above the server's, wherever that is.
  Cgroup(const std::string& cpu_max, const std::string& memory_max) {
    write_file(place_ / "cpu.max", cpu_max + "\n");
    write_file(place_ / "memory.max", memory_max + "\n");
  }
  ServerOptions options(const std::string& program = "brood-test-server") const {
    return {.program = program, .in_process = [path = place_.path()] {
              if (::unshare(CLONE_NEWNS) != 0 ||
                  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                  ::mount(path.c_str(), "/sys/fs/cgroup", nullptr, MS_BIND, nullptr) != 0)
                ::_exit(125);
            }};
  }

 private:
  TemporaryDirectory place_;
};

bool skipped() {
  if (skipped_without_root("a mount namespace")) return true;
  std::ifstream memberships("/proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);)
    if (line.starts_with("0::/")) return false;
  MESSAGE("skipped: there is no cgroup of version 2");
  return true;
}

constexpr const char* warning = "max-clients children need ";

}  // namespace

TEST_CASE("children that the memory of the cgroup is too small for are warned of once") {
  if (skipped()) return;
  const Cgroup small("max 100000", "8388608"), large("max 100000", "1099511627776"),
      none("max 100000", "max");
  ServerProcess server({"--max-clients=1000"}, small.options());
  CHECK(server.wait_for_log(warning));
  CHECK(server.count_in_log("memory.max = 8.0 MiB: lower max-clients, or raise that limit") == 1);
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  CHECK(server.count_in_log(warning) == 1);
  for (const Cgroup* const enough : {&large, &none}) {
    ServerProcess other({"--max-clients=1000"}, enough->options());
    CHECK(other.connect().ask("echo hello") == "hello");
    CHECK(other.count_in_log(warning) == 0);
  }
}

TEST_CASE("threads-per-child = cpu is by the CPUs of the cgroup") {
  if (skipped()) return;
  const Cgroup one("50000 100000", "max");
  ServerProcess server({"--threads-per-child=cpu"}, one.options("brood-thread-test-server"));
  CHECK(server.reaches(
      [](const auto& service) { return !service.slots.empty() && service.slots.front().capacity == 2; }));
}
