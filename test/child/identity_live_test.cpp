// SPDX-License-Identifier: MIT
// The user and group of children, and the limits of what they can reach: privileges are dropped and stay
// dropped, and the parent's pages are read-only.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "process_table.hpp"
#include "root.hpp"
#include "sandboxed.hpp"
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

TEST_CASE("a server that could not signal its children does not start, and says what it needs") {
  if (skipped_without_root()) return;
  const auto without_kill = [](bool ready) {
    return ServerOptions{.wait_ready = ready,
                         .in_process = [] { ::prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0); }};
  };
  ServerProcess refused({"--user=nobody"}, without_kill(false));
  CHECK(refused.wait_exit() == exited(78));
  CHECK(refused.standard_error().find("may not send signals to children of user nobody") !=
        std::string::npos);
  CHECK(refused.standard_error().find("CAP_KILL") != std::string::npos);
  ServerProcess own_user({}, without_kill(true));
  CHECK(own_user.connect().ask("echo hello") == "hello");
}

// ---- rights

namespace {

constexpr std::array capability_sets = {"CapInh", "CapPrm", "CapEff", "CapAmb"};

std::uint64_t set_of(pid_t pid, const char* set) { return std::stoull(status_of(pid, set), nullptr, 16); }

// As a service manager starts a server that is not root, with one right more.
void become_nobody_that_may_bind() {
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(99);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  const std::uint32_t bind = 1U << CAP_NET_BIND_SERVICE;
  sets[0] = {.effective = bind, .permitted = bind, .inheritable = bind};
  if (::syscall(SYS_capset, &header, sets.data()) != 0) ::_exit(98);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0) ::_exit(97);
}

}  // namespace

TEST_CASE("children that are not root have no capability in any set, and can get none") {
  if (skipped_without_root()) return;
  SUBCASE("the parent is root") {
    ServerProcess server({"--user=nobody"});
    const pid_t child = server.connect().child();
    for (const char* set : capability_sets) CHECK(set_of(child, set) == 0);
    CHECK(set_of(child, "CapBnd") == 0);
    CHECK(status_of(child, "NoNewPrivs") == "1");
    CHECK(set_of(server.pid(), "CapBnd") != 0);
    CHECK(status_of(server.pid(), "NoNewPrivs") == "0");
  }
  SUBCASE("the parent is not root, and has an ambient capability") {
    ServerProcess server({}, {.user = 65534, .in_process = become_nobody_that_may_bind});
    const pid_t child = server.connect().child();
    REQUIRE(set_of(server.pid(), "CapAmb") != 0);
    for (const char* set : capability_sets) CHECK(set_of(child, set) == 0);
    CHECK(status_of(child, "NoNewPrivs") == "1");
  }
  SUBCASE("what children execute may get new ones") {
    ServerProcess server({"--user=nobody", "--no-new-privileges=no"});
    const pid_t child = server.connect().child();
    for (const char* set : capability_sets) CHECK(set_of(child, set) == 0);
    CHECK(set_of(child, "CapBnd") != 0);
    CHECK(status_of(child, "NoNewPrivs") == "0");
  }
}

TEST_CASE("there is a warning when children run as root, unless that is said to be right") {
  if (skipped_without_root()) return;
  ServerProcess server({}, {.allow_root = false});
  CHECK(server.count_in_log("its children run as root; set user, or allow-root = yes if they must") == 1);
  CHECK(ServerProcess({"--user=nobody"}, {.allow_root = false}).count_in_log("run as root") == 0);
  CHECK(ServerProcess().count_in_log("run as root") == 0);
}

TEST_CASE("a hook runs in each child before it becomes the user") {
  if (skipped_without_root()) return;
  ServerProcess server({"--user=nobody", "--privileged=yes", "--start-servers=2"},
                       {.program = "brood-counting-test-server"});
  CHECK(server.connect().ask("shadow") == "readable, refused");
  CHECK(server.reaches([](const auto& service) { return service.idle >= 2; }));
  CHECK(server.count_in_log("on_child_privileged: uid 0, opened") >= 2);
  CHECK(server.count_in_log("on_child_privileged: uid 65534") == 0);
}

// ---- descriptors

namespace {

// What each descriptor from 3 on is, by the kernel's name for its kind. Sorted.
std::vector<std::string> descriptors_of(pid_t pid, const ServerProcess& server) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    if (std::stoi(entry.path().filename()) < 3) continue;
    std::error_code gone;
    std::string name = std::filesystem::read_symlink(entry, gone);
    if (gone) continue;
    if (name == server.log_path()) name = "log";
    if (name.starts_with("socket:")) name = "socket";
    if (name.starts_with("anon_inode:")) name = name.substr(12, name.size() - 13);
    all.push_back(name);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("a child has no descriptors but those that the manual lists") {
  struct Row {
    const char* program;
    std::vector<std::string> arguments;
    std::vector<std::string> descriptors;
  };
  const std::string echo = "--command=" + program_path("echo");
  // The wake-up of the parent, the log, the socket that brings the next log, the listener, and the socket
  // that takes its place when the child leaves.
  const std::vector<std::string> base = {"eventfd", "log", "socket", "socket", "socket"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), base.begin(), base.end());
    std::sort(more.begin(), more.end());
    return more;
  };
  std::vector<Row> table = {
      {"brood-test-server", {}, base},
      {"brood-thread-test-server", {"--threads-per-child=3"}, base},
      {"brood-command-host", {"--command-gets=slot", echo}, base},
      {"brood-command-host", {"--command-gets=connection", "--command=/bin/cat"}, base},
      {"brood-command-host", {"--command-gets=listeners", "--command=/bin/sleep 600"}, {"socket"}},
      {"brood-event-test-server",
       {},
       with({"eventfd", "eventfd", "eventfd", "eventpoll", "timerfd", "timerfd"})},
      {"brood-async-test-server",
       {},
       with({"eventfd", "eventfd", "eventfd", "eventfd", "eventpoll", "timerfd", "timerfd"})},
      {"brood-two-test-servers", {}, base},  // of two services
  };
  // A sandbox adds none.
  if (!skipped_without_sandbox())
    for (const Row& row : std::vector<Row>(table)) {
      table.push_back(row);
      table.back().arguments.emplace_back(
          row.program == std::string("brood-two-test-servers") ? "--left.sandbox=on" : "--sandbox=on");
    }
  for (const auto& row : table) {
    CAPTURE(row.program);
    ServerProcess server(row.arguments, {.program = row.program});
    std::vector<std::string> open;
    eventually([&] { return (open = descriptors_of(server.children().at(0), server)) == row.descriptors; });
    CHECK(open == row.descriptors);
  }
}

TEST_CASE("a program that is run for a connection has the connection, and no other descriptor") {
  ServerProcess server({"--command-gets=connection", "--command=/bin/cat"},
                       {.program = "brood-command-host"});
  Client client = server.connect();
  CHECK(client.ask("hello") == "hello");
  for (const pid_t child : server.children())
    for (const pid_t program : children_of(child)) CHECK(descriptors_of(program, server).empty());
}
