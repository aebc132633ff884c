// SPDX-License-Identifier: MIT
// The user and group of children, and the limits of what they can reach: privileges are dropped and stay
// dropped, and the parent's pages are read-only.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// The mappings of a file, as "rw-s" and the like, in the order of addresses.
std::vector<std::string> mappings_of(pid_t pid, const std::string& file) {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/maps"));
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);)
    if (line.find(file) != std::string::npos) {
      std::istringstream fields(line);
      std::string addresses, rights, offset;
      fields >> addresses >> rights >> offset;
      found.push_back(rights + " " + offset);
    }
  return found;
}

bool has_open(pid_t pid, const std::string& file) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry, ignored).string().find(file) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("with user, children are that user with its group alone, and have no right to change it back") {
  if (skipped_without_root()) return;
  ServerProcess server({"--user=nobody"});
  // "ready" is said by the first one; the others may still be on their way to be that user.
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5; }));
  CHECK(server.connect().ask("echo hello") == "hello");
  // The one that was busy may have had another one started for it.
  REQUIRE(server.reaches([](const auto& service) {
    return service.open_connections == 0 && service.starting == 0 && service.idle >= 5;
  }));
  const auto children = server.children();
  REQUIRE_FALSE(children.empty());
  for (const pid_t child : children) {
    CHECK(status_of(child, "Uid") == "65534\t65534\t65534\t65534");
    CHECK(status_of(child, "Gid") == "65534\t65534\t65534\t65534");
    CHECK(std::stoull(status_of(child, "CapEff"), nullptr, 16) == 0);
    CHECK(std::stoull(status_of(child, "CapPrm"), nullptr, 16) == 0);
    const std::string groups = status_of(child, "Groups");
    CHECK(" " + groups + " " != " 0 ");
    CHECK(groups.find("0 ") != 0);
  }
  CHECK(status_of(server.pid(), "Uid") == "0\t0\t0\t0");
}

TEST_CASE("with group alone, children keep the user and have that group") {
  if (skipped_without_root()) return;
  ServerProcess server({"--group=65534"});
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(status_of(child, "Gid") == "65534\t65534\t65534\t65534");
  CHECK(status_of(child, "Uid") == "0\t0\t0\t0");
}

TEST_CASE("a user by number that has no account is taken, with the groups dropped") {
  if (skipped_without_root()) return;
  ServerProcess server({"--user=54321", "--group=54321"});
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(status_of(child, "Uid") == "54321\t54321\t54321\t54321");
  CHECK(status_of(child, "Gid") == "54321\t54321\t54321\t54321");
  CHECK(status_of(child, "Groups").find_first_not_of(" \t") == std::string::npos);
}

TEST_CASE("a user by number that has no account is refused without a group: it would keep root's") {
  if (skipped_without_root()) return;
  ServerProcess server({"--user=54321"}, {.wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find("set group as well") != std::string::npos);
}

TEST_CASE("the number that means nobody is refused: children would stay root") {
  if (skipped_without_root()) return;
  for (const char* who : {"--user=4294967295", "--group=4294967295"}) {
    ServerProcess server({who}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("4294967295 is not a valid user or group") != std::string::npos);
  }
}

TEST_CASE("children that are another user are replaced, told to leave and seen to leave with their parent") {
  if (skipped_without_root()) return;
  ServerProcess server(
      {"--user=nobody", "--max-requests-per-child=3", "--start-servers=2", "--min-spare-servers=1"});
  for (int i = 0; i < 30; ++i) CHECK(server.connect().ask("echo x") == "x");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 1; }));
  Client client = server.connect();
  const pid_t busy = client.child();
  const auto children = server.children();
  server.signal(SIGKILL);
  CHECK(eventually([&] {
    return std::all_of(children.begin(), children.end(),
                       [&](pid_t child) { return child == busy || !is_alive(child); });
  }));
  CHECK(client.ask("echo finished") == "finished");
  client.close();
  CHECK(eventually([&] { return !is_alive(busy); }));
}

TEST_CASE("children that are another user log into the file, also after it was renamed") {
  if (skipped_without_root()) return;
  const TemporaryDirectory place;
  // A directory in which the user may make files, as /var/log/NAME would be.
  REQUIRE(::chown(place.path().c_str(), 65534, 65534) == 0);
  ServerProcess server({"--user=nobody", "--log=" + (place / "own.log")},
                       {.log = false, .wait_ready = false});
  const auto log = [&] { return read_file(place / "own.log"); };
  REQUIRE(eventually([&] { return log().find("ready: ") != std::string::npos; }));
  const std::string line = log();
  const std::string address = line.substr(line.find(" on ") + 4, line.find(", pid") - line.find(" on ") - 4);
  CHECK(Client(address).ask("log before") == "logged");
  CHECK(log().find("before") != std::string::npos);
  std::filesystem::rename(place / "own.log", place / "old.log");
  server.signal(SIGUSR1);
  CHECK(eventually([&] {
    CHECK(Client(address).ask("log after") == "logged");
    return log().find("after") != std::string::npos;
  }));
}

TEST_CASE("children map the parent's part of the scoreboard read-only and have no descriptor of the file") {
  ServerProcess server;
  CHECK(server.connect().ask("echo hello") == "hello");
  const auto writable_from_start = [](const std::vector<std::string>& mappings) {
    return std::count(mappings.begin(), mappings.end(), "rw-s 00000000");
  };
  CHECK(writable_from_start(mappings_of(server.pid(), ".scoreboard")) == 1);
  // A child that was forked this moment has not given up anything yet.
  REQUIRE(server.reaches([](const auto& service) { return service.starting == 0 && service.idle >= 5; }));
  for (const pid_t child : server.children()) {
    const auto mappings = mappings_of(child, ".scoreboard");
    CHECK(writable_from_start(mappings) == 0);
    CHECK(std::count(mappings.begin(), mappings.end(), "r--s 00000000") == 1);
    CHECK(mappings.size() == 2);  // and the pages that children write
    CHECK_FALSE(has_open(child, ".scoreboard"));
  }
}

TEST_CASE("an anonymous scoreboard is guarded in the same way") {
  ServerProcess server({"--runtime-directory=none", "--max-clients=5"}, {.runtime_directory = false});
  // Each child has answered: one that was forked this moment has not given up anything yet.
  auto held = server.hold(5);
  for (auto& client : held) {
    const pid_t child = client.child();
    const auto mappings = mappings_of(child, "brood-scoreboard");
    CHECK(std::count(mappings.begin(), mappings.end(), "rw-s 00000000") == 0);
    CHECK(std::count(mappings.begin(), mappings.end(), "r--s 00000000") == 1);
    CHECK_FALSE(has_open(child, "brood-scoreboard"));
  }
}

TEST_CASE("the scoreboard's file of a server with user belongs to the parent") {
  if (skipped_without_root()) return;
  ServerProcess server({"--user=nobody"});
  struct stat status {};
  REQUIRE(::stat(server.scoreboard().c_str(), &status) == 0);
  CHECK(status.st_uid == 0);
  CHECK((status.st_mode & 022) == 0);
}

TEST_CASE("an ordinary user runs a server") {
  if (skipped_without_root()) return;
  ServerProcess server({}, {.user = 65534});
  CHECK(status_of(server.pid(), "Uid") == "65534\t65534\t65534\t65534");
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK_FALSE(server.scoreboard().empty());
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}
