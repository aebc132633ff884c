// SPDX-License-Identifier: MIT
// The sandbox of children: what it forbids is logged by name, and what each child model and each kind of
// program needs works in it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "asker.hpp"
#include "commanded.hpp"
#include "models.hpp"
#include "root.hpp"
#include "sandboxed.hpp"
#include "triggered.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr const char* refused = "was refused the system call ";

// So many different calls were refused.
void check_refused(const ServerProcess& server, unsigned number) {
  CHECK_MESSAGE(server.count_in_log(refused) == number, server.log());
}

unsigned sandboxes_watched_by(pid_t parent) {
  const auto all = descriptors_of_process(parent);
  return static_cast<unsigned>(std::ranges::count(all, "anon_inode:seccomp notify"));
}

std::string existing(const std::vector<std::string>& paths) {
  std::string all;
  for (const auto& path : paths)
    if (std::filesystem::exists(path)) all += (all.empty() ? "" : " ") + path;
  return all;
}

}  // namespace

TEST_CASE("a call that the sandbox forbids fails, and is logged by name, in each child model") {
  if (skipped_without_sandbox()) return;
  std::vector<std::string> arguments = sandboxed();
  const ServerOptions options = model(arguments);
  ServerProcess server(arguments, options);
  const std::string made = server.directory() / "made";
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(client.ask("echo hello") == "hello");
  CHECK(client.ask("mkdir " + made) == forbidden);
  CHECK(client.ask("mkdir " + made) == forbidden);
  CHECK_FALSE(std::filesystem::exists(made));
  CHECK(server.wait_for_log(std::string(refused) + "mkdir; to allow it: sandbox-allow = @files"));
  CHECK(server.log().find("child " + std::to_string(child)) != std::string::npos);
  // What any handler may do.
  CHECK(client.ask("resolve localhost") == "127.0.0.1");
  CHECK(client.ask("in-thread") == "joined");
  CHECK(client.ask("first-line /proc/self/comm") != forbidden);
  CHECK(client.ask("note of the test") == "noted");
  CHECK(status_of(child, "Seccomp") == "2");
  CHECK(status_of(child, "NoNewPrivs") == "1");
  server.connect().send("throw something\n");
  client.close();
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 1; }));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  check_refused(server, 1);
}

TEST_CASE("with sandbox = log the same call is made, and logged by name") {
  if (skipped_without_sandbox()) return;
  ServerProcess server({"--sandbox=log"});
  const std::string made = server.directory() / "made";
  CHECK(server.connect().ask("mkdir " + made) == "made");
  CHECK(std::filesystem::is_directory(made));
  CHECK(
      server.wait_for_log("has made the system call mkdir, which sandbox = on would refuse; to allow it: "
                          "sandbox-allow = @files"));
  CHECK(server.connect().ask("socket-tcp") == "opened");
  check_refused(server, 0);
}

TEST_CASE("a sandbox that is off is none") {
  ServerProcess server;
  Client client = server.connect();
  CHECK(status_of(client.child(), "Seccomp") == "0");
  CHECK(sandboxes_watched_by(server.pid()) == 0);
}

TEST_CASE("without @network a child has no sockets of TCP of its own, and a call without a name is none") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed());
  CHECK(server.connect().ask("socket-tcp") == forbidden);
  CHECK(server.wait_for_log("socket (IPv4, type 1); to allow it: sandbox-allow = @network"));
  CHECK(server.connect().ask("number 100000") == "Function not implemented");
  CHECK(server.wait_for_log("was refused the system call number 100000"));
  ServerProcess with_network(sandboxed({"--sandbox-allow=@network mkdir"}));
  CHECK(with_network.connect().ask("socket-tcp") == "opened");
  CHECK(with_network.connect().ask("mkdir " + (with_network.directory() / "made")) == "made");
  check_refused(with_network, 0);
}

TEST_CASE("a child with user and sandbox has no capability in any set") {
  if (skipped_without_root() || skipped_without_sandbox()) return;
  ServerProcess server(sandboxed({"--user=nobody"}));
  Client client = server.connect();
  const pid_t child = client.child();
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"})
    CHECK(std::stoull(status_of(child, set), nullptr, 16) == 0);
  CHECK(status_of(child, "NoNewPrivs") == "1");
  CHECK(status_of(child, "Seccomp") == "2");
  CHECK(client.ask("mkdir /tmp/never") == forbidden);
  CHECK(server.wait_for_log(std::string(refused) + "mkdir"));
}

TEST_CASE("a server that is no root has sandboxes, too") {
  if (skipped_without_root() || skipped_without_sandbox()) return;
  ServerProcess server(sandboxed(), {.user = 65534});
  CHECK(server.connect().ask("mkdir /tmp/never") == forbidden);
  CHECK(server.wait_for_log(std::string(refused) + "mkdir"));
}

TEST_CASE("a child that crashes in a sandbox is reported as ever") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed(), {.heed_sanitizers = false});
  Client client = server.connect();
  const std::string child = std::to_string(client.child());
  client.send("crash\n");
  CHECK(client.ending() != Ending::timed_out);
  CHECK(server.wait_for_log("child " + child + " was killed by signal 6"));
  check_refused(server, 0);
}

TEST_CASE("triggers and datagrams are served in a sandbox") {
  if (skipped_without_sandbox()) return;
  const Triggered triggered(sandboxed());
  triggered.write("mkdir " + (triggered.place / "made") + "\n");
  CHECK(triggered.server.wait_for_log(std::string("test_server: ") + forbidden));
  CHECK(triggered.has_records(1));
  CHECK(triggered.server.wait_for_log(std::string(refused) + "mkdir"));
  check_refused(triggered.server, 1);
  const Answering answering(sandboxed(), "udp:127.0.0.1:0");
  const Asker asker = answering.asker();
  CHECK(asker.ask("echo hello") == "hello");
  CHECK(asker.ask("mkdir /tmp/never") == forbidden);
  CHECK(answering.server.wait_for_log(std::string(refused) + "mkdir"));
  check_refused(answering.server, 1);
}

// ---- programs

TEST_CASE("a program that serves one connection is in the sandbox of its child") {
  if (skipped_without_sandbox()) return;
  const Script script("echo $$; mkdir '" + std::string("/tmp/never") + "' 2>&1; exec cat");
  ServerProcess server(runs(script.path(), "connection", sandboxed()), host());
  Client client = server.connect();
  const std::string program = client.line();
  CHECK(client.line().find(forbidden) != std::string::npos);
  CHECK(client.ask("hello") == "hello");
  CHECK(status_of(static_cast<pid_t>(std::stol(program)), "Seccomp") == "2");
  CHECK(server.wait_for_log("process or thread "));
  CHECK(server.wait_for_log(std::string(refused) + "mkdir; to allow it: sandbox-allow = @files"));
  ServerProcess cat(runs("/bin/cat", "connection", sandboxed()), host());
  CHECK(cat.connect().ask("as inetd does") == "as inetd does");
  check_refused(cat, 0);
}

TEST_CASE("a program that takes the slot is in the sandbox of its child") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(runs(program_path("brood-test-server"), "slot", sandboxed()), host());
  Client client = server.connect();
  CHECK(client.ask("echo hello") == "hello");
  CHECK(client.ask("mkdir /tmp/never") == forbidden);
  CHECK(client.ask("resolve localhost") == "127.0.0.1");
  CHECK(server.wait_for_log(std::string(refused) + "mkdir"));
  server.signal(SIGTERM);
  client.close();
  CHECK(server.wait_exit() == exited(0));
  check_refused(server, 1);
}

TEST_CASE("a program that takes the listeners is in the sandbox of its child") {
  if (skipped_without_sandbox()) return;
  const Script script("mkdir /tmp/never; exec sleep 600");
  ServerProcess server(
      runs(script.path(), "listeners", {"--sandbox=on", "--sandbox-allow=@processes", "--start-servers=1"}),
      host());
  CHECK(server.wait_for_log(std::string(refused) + "mkdir"));
  CHECK(eventually([&] {
    const auto children = server.children();
    return !children.empty() && status_of(children.front(), "Seccomp") == "2" &&
           program_of(children.front()).ends_with("sleep");
  }));
}

// ---- the parent

TEST_CASE("a reload changes what new children may do") {
  if (skipped_without_sandbox()) return;
  Upgradeable it({}, "sandbox = log\n");
  const std::string made = it.place / "made";
  Client old = it.server.connect();
  CHECK(old.ask("socket-tcp") == "opened");
  it.write_settings("sandbox = on\n");
  it.server.signal(SIGHUP);
  // The old one serves what it has, by what was in force when it was started.
  CHECK(it.server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 1; }));
  CHECK(old.ask("socket-tcp") == "opened");
  old.close();
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("mkdir " + made) == forbidden);
  it.write_settings("sandbox = on\nsandbox-allow = @files\n");
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches(settled_at(3)));
  CHECK(it.server.connect().ask("mkdir " + made) == "made");
  it.write_settings("sandbox = off\n");
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches(settled_at(4)));
  CHECK(it.server.connect().ask("socket-tcp") == "opened");
}

TEST_CASE("after an upgrade the calls of the former program's children are answered by the new one") {
  if (skipped_without_sandbox()) return;
  Upgradeable it(sandboxed());
  Client old = it.server.connect();
  CHECK(old.ask("socket-tcp") == forbidden);
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(old.ask("mkdir /tmp/never") == forbidden);
  CHECK(it.server.wait_for_log(std::string(refused) + "mkdir"));
  old.close();
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("mkdir /tmp/never") == forbidden);
  CHECK(eventually([&] { return sandboxes_watched_by(it.server.pid()) == it.server.children().size(); }));
}

TEST_CASE("the parent keeps a descriptor for each sandbox that has a process, and no longer") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed(
      {"--max-requests-per-child=1", "--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=3"}));
  for (int i = 0; i < 20; ++i) CHECK(server.connect().ask("echo x") == "x");
  CHECK(eventually([&] {
    const auto children = server.children().size();
    return sandboxes_watched_by(server.pid()) == children && server.children().size() == children;
  }));
}

TEST_CASE("a child whose parent is gone is refused what it would have been") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed());
  Client client = server.connect();
  CHECK(client.ask("echo hello") == "hello");
  server.signal(SIGKILL);
  server.wait_exit();
  CHECK(client.ask("mkdir /tmp/never") == "Function not implemented");
  CHECK(client.ask("echo finished") == "finished");
}

TEST_CASE("a child that is killed while its call waits for an answer holds up nobody") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed());
  for (int i = 0; i < 5; ++i) {
    Client client = server.connect();
    const pid_t child = client.child();
    CHECK(client.ask("echo hello") == "hello");
    server.signal(SIGSTOP);
    REQUIRE(eventually([&] { return process_state(server.pid()) == 'T'; }));
    client.send("mkdir /tmp/never\n");
    // It waits in the kernel for the answer.
    REQUIRE(eventually([&] {
      return read_file("/proc/" + std::to_string(child) + "/syscall").find("mkdir") != std::string::npos ||
             read_file("/proc/" + std::to_string(child) + "/wchan").find("seccomp") != std::string::npos ||
             read_file("/proc/" + std::to_string(child) + "/stack").find("seccomp") != std::string::npos;
    }));
    ::kill(child, SIGKILL);
    REQUIRE(eventually([&] { return !is_alive(child); }));
    server.signal(SIGCONT);
    CHECK(server.connect().ask("echo again") == "again");
  }
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a child that makes one forbidden call after the other holds up nobody, and is logged once") {
  if (skipped_without_sandbox()) return;
  ServerProcess server(sandboxed());
  Client busy = server.connect();
  constexpr int calls = 2000;
  std::string lines;
  for (int i = 0; i < calls; ++i) lines += "mkdir /tmp/never\n";
  busy.send(lines);
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 1; }));
  for (int i = 0; i < calls; ++i) REQUIRE(busy.line() == forbidden);
  CHECK(server.count_in_log(std::string(refused) + "mkdir") <= 2);  // again after a minute
}

// ---- paths

TEST_CASE("with paths a child can open nothing else") {
  if (skipped_without_sandbox() || skipped_without_path_rules()) return;
  const TemporaryDirectory readable, writable, other;
  for (const auto* place : {&readable, &writable, &other}) write_file(*place / "file", "content\n");
  ServerProcess server(sandboxed(
      {"--sandbox-read=" + readable.path(), "--sandbox-write=" + writable.path(), "--sandbox-allow=@files"}));
  constexpr const char* denied = "Permission denied";
  Client client = server.connect();
  CHECK(client.ask("first-line " + (readable / "file")) == "content");
  CHECK(client.ask("append " + (readable / "file")) == denied);
  CHECK(client.ask("append " + (readable / "new")) == denied);
  CHECK(client.ask("append " + (writable / "new")) == "written");
  CHECK(client.ask("mkdir " + (writable / "made")) == "made");
  CHECK(client.ask("first-line " + (other / "file")) == denied);
  CHECK(client.ask("mkdir " + (other / "made")) == denied);
  CHECK(client.ask("echo still") == "still");
}

TEST_CASE(
    "the log tells at the start and after a change which paths children have, and who reports what is "
    "refused") {
  if (skipped_without_sandbox() || skipped_without_path_rules()) return;
  const TemporaryDirectory readable, writable, other;
  write_file(other / "file", "content\n");
  const std::string paths =
      "sandbox-read = " + readable.path() + "\nsandbox-write = " + writable.path() + "\n";
  Upgradeable it({}, "sandbox = log\n" + paths);
  const std::string which =
      "can open only sandbox-read = " + readable.path() + ", sandbox-write = " + writable.path();
  CHECK(it.count("sandbox = log refuses no path and reports none; with sandbox = on its children " + which) ==
        1);
  CHECK(it.server.connect().ask("first-line " + (other / "file")) == "content");
  it.write_settings("sandbox = on\n" + paths);
  it.server.signal(SIGHUP);
  CHECK(it.eventually_counts("its children " + which + "; what else they try fails with EACCES, and ", 1));
  it.server.signal(SIGHUP);  // without a change
  CHECK(it.server.reaches(settled_at(3)));
  CHECK(it.count(which) == 2);
  CHECK(it.server.connect().ask("first-line " + (other / "file")) == "Permission denied");
}

TEST_CASE("a program is executed from the paths that it may read") {
  if (skipped_without_sandbox() || skipped_without_path_rules()) return;
  const std::string paths = existing({"/usr", "/bin", "/lib", "/lib64", "/etc"});
  ServerProcess server(runs("/bin/cat", "connection", sandboxed({"--sandbox-read=" + paths})), host());
  CHECK(server.connect().ask("as inetd does") == "as inetd does");
}

TEST_CASE("a path that is gone when a child starts is named") {
  if (skipped_without_sandbox() || skipped_without_path_rules()) return;
  const TemporaryDirectory place;
  const std::string path = place / "soon-gone";
  std::filesystem::create_directory(path);
  ServerProcess server(sandboxed({"--sandbox-read=" + path}));
  std::filesystem::remove(path);
  ::kill(server.children().at(0), SIGKILL);
  CHECK(server.wait_for_log("open " + path + ", which the sandbox of a child is to have"));
}

// ---- settings

TEST_CASE("mistakes in the settings of a sandbox are named, and nothing starts") {
  if (skipped_without_sandbox()) return;
  struct Row {
    std::vector<std::string> arguments;
    std::string message;
  };
  const TemporaryDirectory place;
  const std::vector<Row> table = {
      {{"--sandbox=yes"}, "sandbox"},
      {{"--sandbox-allow=@file"},
       "sandbox-allow = @file names @file, which is no group; did you mean '@files'?"},
      {{"--sandbox-allow=files"}, "names files, which is no system call; did you mean '@files'?"},
      {{"--sandbox-allow=mkdir mkdri"}, "names mkdri, which is no system call; did you mean 'mkdir'?"},
      {{"--sandbox=on", "--no-new-privileges=no"}, "no-new-privileges = no contradicts that"},
      {{"--sandbox=on", "--sandbox-read=etc"}, "sandbox-read = etc names etc, which is no absolute path"},
      {{"--sandbox=on", "--sandbox-write=/nowhere/at/all"}, "names /nowhere/at/all, which does not exist"},
      {{"--sandbox=on", "--sandbox-read=/etc", "--access-log=" + (place / "access")},
       "is in no directory of sandbox-write"},
  };
  for (auto row : table) {
    CAPTURE(row.message);
    row.arguments.emplace_back("--test-config");
    ServerProcess server(row.arguments, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK_MESSAGE(server.standard_error().find(row.message) != std::string::npos, server.standard_error());
  }
}
