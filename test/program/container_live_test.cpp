// SPDX-License-Identifier: MIT
// As PID 1 of a container: only the server can reap orphans, and the kernel ignores signals that have no
// handler.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <filesystem>

#include "load.hpp"
#include "pid_1.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Pids on the scoreboard and in the log are those of the namespace; these are ours.
struct Container {
  explicit Container(std::vector<std::string> arguments = {})
      : server(std::move(arguments), {.in_process = become_pid_1}), parent(children_of(server.pid()).at(0)) {}
  ServerProcess server;
  pid_t parent;
};

unsigned zombies_of(pid_t parent) {
  unsigned count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (!std::isdigit(static_cast<unsigned char>(name.front()))) continue;
    const pid_t pid = std::stoi(name);
    if (process_state(pid) == 'Z' && parent_of(pid) == parent) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("as PID 1 a server serves and obeys SIGTERM") {
  if (skipped_without_root()) return;
  Container container;
  CHECK(container.server.ready_line().find(", pid 1,") != std::string::npos);
  Client client = container.server.connect();
  CHECK(client.ask("echo hello") == "hello");
  ::kill(container.parent, SIGTERM);
  CHECK(container.server.wait_for_log("stopping"));
  CHECK(client.ask("echo finished") == "finished");
  client.close();
  CHECK(container.server.wait_exit() == exited(0));
}

TEST_CASE("as PID 1 a server obeys SIGINT and SIGHUP") {
  if (skipped_without_root()) return;
  Container container;
  ::kill(container.parent, SIGHUP);
  CHECK(container.server.wait_for_log("reloaded"));
  ::kill(container.parent, SIGINT);
  CHECK(container.server.wait_exit() == exited(0));
}

TEST_CASE("as PID 1 a server obeys its other signals") {
  if (skipped_without_root()) return;
  Container container;
  std::filesystem::rename(container.server.log_path(), container.server.log_path() + ".1");
  ::kill(container.parent, SIGUSR1);
  CHECK(eventually([&] { return std::filesystem::exists(container.server.log_path()); }));
  ::kill(container.parent, SIGUSR2);
  CHECK(container.server.wait_for_log("upgraded: "));
  CHECK(container.server.connect().ask("echo hello") == "hello");
  // Without a handler these have no effect on PID 1.
  for (const int signal : {SIGPIPE, SIGALRM}) ::kill(container.parent, signal);
  CHECK(container.server.connect().ask("echo hello") == "hello");
  ::kill(container.parent, SIGQUIT);
  CHECK(container.server.wait_exit() == exited(0));
}

TEST_CASE("as PID 1 a server reaps strangers, and takes none of them for a child of its own") {
  if (skipped_without_root()) return;
  Container container({"--start-servers=3", "--min-spare-servers=3"});
  for (int i = 0; i < 5; ++i) {
    const auto before = children_of(container.parent);
    Client client = container.server.connect();
    client.ask("fork");
    client.send("exit 0\n");  // its child becomes an orphan, and a child of PID 1
    CHECK(client.ending() == Ending::closed);
  }
  unsigned children = 0;
  REQUIRE(container.server.reaches([&](const auto& service) {
    children = service.children();
    return service.total.aborted == 5 && service.idle >= 3 && service.idle == children &&
           children_of(container.parent).size() == children + 5;
  }));
  // Five processes that are no children of the server: they sleep in poll(), and SIGUSR2 ends them.
  const auto gone_before = container.server.service().children_gone;
  unsigned killed = 0;
  for (const pid_t pid : children_of(container.parent)) {
    const auto slots = container.server.service().slots;
    const std::string inner = status_of(pid, "NSpid");
    const pid_t inside = std::stoi(inner.substr(inner.rfind('\t') + 1));
    if (std::any_of(slots.begin(), slots.end(), [&](const auto& slot) { return slot.pid == inside; }))
      continue;
    ::kill(pid, SIGKILL);
    ++killed;
  }
  CHECK(killed == 5);
  CHECK(eventually(
      [&] { return children_of(container.parent).size() == children && zombies_of(container.parent) == 0; }));
  CHECK(container.server.service().children_gone == gone_before);
  CHECK(container.server.connect().ask("echo hello") == "hello");
}
