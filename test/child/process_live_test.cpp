// SPDX-License-Identifier: MIT
// The settings of a service for the processes of its children.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>

#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::string link(pid_t pid, const std::string& name) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/" + name);
}

// "SOFT HARD" of a line of /proc/PID/limits.
std::string limit_of(pid_t pid, const std::string& name) {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/limits"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name)) {
      std::istringstream values(line.substr(26));
      std::string soft, hard;
      values >> soft >> hard;
      return soft + " " + hard;
    }
  return "";
}

const std::vector<std::string> one = {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"};

std::vector<std::string> with(const std::vector<std::string>& more) {
  std::vector<std::string> all = one;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

unsigned last_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  unsigned last = 0;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) last = cpu;
  return last;
}

}  // namespace

TEST_CASE("children have the directory, umask, limits, CPUs, nice value and variables of their settings") {
  const TemporaryDirectory place;
  const std::string cpu = std::to_string(last_cpu());
  ServerProcess server(with({"--working-directory=" + place.path(), "--umask=027", "--limit-open-files=321",
                             "--limit-cpu=777", "--limit-core=1M", "--nice=3", "--cpus=" + cpu,
                             "--environment=ONE=1", "--environment=TWO=a=b c", "--environment=EMPTY="}));
  Client client = server.connect();
  const pid_t child = client.child();
  CHECK(link(child, "cwd") == std::filesystem::canonical(place.path()));
  CHECK(status_of(child, "Umask") == "0027");
  CHECK(limit_of(child, "Max open files") == "321 321");
  CHECK(limit_of(child, "Max cpu time") == "777 777");
  CHECK(limit_of(child, "Max core file size") == "1048576 1048576");
  CHECK(status_of(child, "Cpus_allowed_list") == cpu);
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(child)) ==
        ::getpriority(PRIO_PROCESS, static_cast<id_t>(server.pid())) + 3);
  CHECK(client.ask("env ONE") == "1");
  CHECK(client.ask("env TWO") == "a=b c");
  CHECK(client.ask("env EMPTY").empty());
  // The parent has its own.
  CHECK(link(server.pid(), "cwd") != link(child, "cwd"));
  CHECK(limit_of(server.pid(), "Max open files") != "321 321");
}

TEST_CASE("children have only those variables of the parent that pass-environment names") {
  const auto inherited = [] {
    ::setenv("KEPT", "kept", 1);
    ::setenv("SECRET", "secret", 1);
  };
  ServerProcess server(with({"--pass-environment=PATH", "--pass-environment=KEPT", "--environment=OWN=own"}),
                       {.in_process = inherited});
  Client client = server.connect();
  CHECK(client.ask("env KEPT") == "kept");
  CHECK(client.ask("env OWN") == "own");
  CHECK(client.ask("env SECRET") == "unset");
  CHECK(client.ask("env HOME") == "unset");
  ServerProcess all(with({}), {.in_process = inherited});
  CHECK(all.connect().ask("env SECRET") == "secret");
}

TEST_CASE("a reload gives the next children other settings") {
  const TemporaryDirectory place;
  const std::string config = place / "conf";
  write_file(config, "environment = WORD=one\numask = 077\n");
  ServerProcess server(with({"--config=" + config}));
  CHECK(server.connect().ask("env WORD") == "one");
  write_file(config, "environment = WORD=two\n");
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  Client client = server.connect();
  CHECK(client.ask("env WORD") == "two");
  CHECK(status_of(client.child(), "Umask") == status_of(server.pid(), "Umask"));
}

TEST_CASE("children of another user have its home and name, unless their settings say otherwise") {
  if (skipped_without_root()) return;
  ServerProcess server(with({"--user=nobody", "--environment=SHELL=/bin/own", "--limit-core=1M"}));
  Client client = server.connect();
  CHECK(client.ask("env HOME") == "/nonexistent");
  CHECK(client.ask("env USER") == "nobody");
  CHECK(client.ask("env LOGNAME") == "nobody");
  CHECK(client.ask("env SHELL") == "/bin/own");
}

TEST_CASE("children can have another root directory, and the parent serves on") {
  if (skipped_without_root()) return;
  const TemporaryDirectory root;
  std::filesystem::create_directory(root / "inside");
  ServerProcess server(with({"--chroot=" + root.path(), "--working-directory=/inside", "--user=nobody",
                             "--max-requests-per-child=3"}));
  Client client = server.connect();
  const pid_t child = client.child();
  const std::string path = std::filesystem::canonical(root.path());
  CHECK(link(child, "root") == path);
  CHECK(link(child, "cwd") == path + "/inside");
  client.close();
  for (int i = 0; i < 20; ++i) CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("programs that are executed have them as well") {
  ServerProcess server(
      {"--command-gets=connection", "--command=/bin/sh -c \"read line; echo $WORD; umask; ulimit -n\"",
       "--environment=WORD=given", "--umask=0027", "--limit-open-files=99"},
      {.program = "brood-command-host"});
  Client client = server.connect();
  client.send("go\n");
  CHECK(client.line() == "given");
  CHECK(client.line() == "0027");
  CHECK(client.line() == "99");
}

TEST_CASE("settings of processes that can't be are mistakes") {
  for (const std::string wrong :
       {"--umask=9", "--cpus=one", "--environment=novalue", "--limit-memory=much", "--nice=99",
        "--working-directory=/no/such/directory", "--chroot=/no/such/directory", "--limit-cpu=-1"}) {
    CAPTURE(wrong);
    ServerProcess server({wrong}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find(wrong.substr(2, wrong.find('=') - 2)) != std::string::npos);
  }
}
