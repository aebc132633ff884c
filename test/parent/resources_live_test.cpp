// SPDX-License-Identifier: MIT
// When the machine gives no more: descriptors, processes.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "load.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

void set_limit(pid_t pid, __rlimit_resource resource, rlim_t soft) {
  rlimit limit{};
  REQUIRE(::prlimit(pid, resource, nullptr, &limit) == 0);
  limit.rlim_cur = soft;
  REQUIRE(::prlimit(pid, resource, &limit, nullptr) == 0);
}

rlim_t limit_of(pid_t pid, __rlimit_resource resource) {
  rlimit limit{};
  REQUIRE(::prlimit(pid, resource, nullptr, &limit) == 0);
  return limit.rlim_cur;
}

// The undefined-behaviour sanitizer probes memory through a pipe; without one it reports errors that are
// none.
ServerOptions without_descriptors() { return {.heed_sanitizers = false}; }

// For a server of another user: CAP_SYS_RESOURCE, which lets root do it, is not in every container.
void set_limit_as(uid_t user, pid_t pid, __rlimit_resource resource, rlim_t soft) {
  const pid_t helper = ::fork();
  if (helper == 0) {
    rlimit limit{};
    if (::setgid(user) != 0 || ::setuid(user) != 0 || ::prlimit(pid, resource, nullptr, &limit) != 0)
      ::_exit(1);
    limit.rlim_cur = std::min(soft, limit.rlim_max);
    ::_exit(::prlimit(pid, resource, &limit, nullptr) == 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(helper, &status, 0) == helper);
  REQUIRE(status == 0);
}

// Processor time of a process in clock ticks.
unsigned long processor_time(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(") ") + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  unsigned long user = 0, system = 0;
  fields >> user >> system;
  return user + system;
}

}  // namespace

TEST_CASE("a child without descriptors says so once, does not spin, and serves again when there are some") {
  bool several = false;
  SUBCASE("one listener") {}
  SUBCASE("several listeners") { several = true; }
  std::vector<std::string> arguments = {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                                        "--max-clients=1"};
  if (several) arguments.emplace_back("--listen=127.0.0.1:0,name=second");
  ServerProcess server(arguments, without_descriptors());
  CHECK(server.connect().ask("echo before") == "before");
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 1; }));
  const pid_t child = server.children().front();
  const rlim_t before = limit_of(child, RLIMIT_NOFILE);
  set_limit(child, RLIMIT_NOFILE, 3);
  // An accept() that waits already has its descriptor: the next one fails.
  Client early = server.connect();
  early.send("echo early\nbye\n");
  Client waiting = server.connect();
  waiting.send("echo served\n");
  CHECK(server.wait_for_log("out of descriptors or memory"));
  const unsigned long used = processor_time(child);
  std::this_thread::sleep_for(1s);
  // A spin would have taken the whole second.
  CHECK(processor_time(child) - used < static_cast<unsigned long>(::sysconf(_SC_CLK_TCK)) / 4);
  CHECK(server.count_in_log("out of descriptors or memory") == 1);
  set_limit(child, RLIMIT_NOFILE, before);
  CHECK(early.line() == "early");
  CHECK(early.line() == "bye");
  early.close();
  CHECK(waiting.line() == "served");
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("a child without descriptors can be told to leave") {
  ServerProcess server(
      {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=1"},
      without_descriptors());
  CHECK(server.connect().ask("echo before") == "before");
  const pid_t child = server.children().front();
  set_limit(child, RLIMIT_NOFILE, 3);
  Client early = server.connect();
  early.send("echo early\nbye\n");
  Client waiting = server.connect();
  waiting.send("echo served\nbye\n");
  CHECK(server.wait_for_log("out of descriptors or memory"));
  server.signal(SIGHUP);
  // Its successor has the parent's limits.
  CHECK(early.line() == "early");
  CHECK(waiting.line() == "served");
  CHECK(eventually([&] { return !is_alive(child); }));
}

TEST_CASE("a fork that fails loses no connection, and is made good when it works again" *
          doctest::test_suite("slow")) {
  if (skipped_without_root("to run a server under a limited user")) return;
  // A user of its own, so that the number of its processes is this server's.
  const uid_t user = 61'000 + static_cast<uid_t>(::getpid() % 4000);
  ServerProcess server(
      {"--start-servers=4", "--min-spare-servers=2", "--max-spare-servers=6", "--max-requests-per-child=20"},
      {.user = user});
  Load load(server.address(), 4);
  CHECK(load.more_answers(100));
  set_limit_as(user, server.pid(), RLIMIT_NPROC, 1);
  CHECK(server.wait_for_log("fork: Resource temporarily unavailable"));
  CHECK(load.more_answers(2000));
  const unsigned long used = processor_time(server.pid());
  std::this_thread::sleep_for(1s);
  CHECK(processor_time(server.pid()) - used < static_cast<unsigned long>(::sysconf(_SC_CLK_TCK)) / 4);
  const auto started = server.service().children_started;
  set_limit_as(user, server.pid(), RLIMIT_NPROC, RLIM_INFINITY);
  CHECK(server.reaches([&](const auto& service) { return service.children_started > started + 2; }));
  // A new child's first good connection lifts the throttle: the load goes on until then.
  CHECK(server.reaches([](const auto& service) { return service.throttled_for.count() == 0; }));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(server.reaches(
      [&](const auto& service) { return service.total.finished == figures.answered && service.idle >= 2; }));
  CHECK(server.service().children_failed == 0);
  // Those that could not be forked neither were there nor are gone.
  CHECK(server.reaches([](const auto& service) {
    return service.children_started == service.children_gone + service.children();
  }));
  CHECK(server.count_in_log("children fail at once") == 0);
  CHECK(server.count_in_log("fork: Resource temporarily unavailable") < 20);
}

TEST_CASE("the descriptors of a parent don't grow with the children it has had") {
  ServerProcess server({"--start-servers=3", "--min-spare-servers=3", "--max-requests-per-child=1"});
  const auto descriptors = [&] {
    return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(server.pid()) + "/fd"),
                         {});
  };
  const auto before = descriptors();
  CHECK(eventually([&] {
    for (int i = 0; i < 10; ++i) REQUIRE(server.connect().ask("echo x") == "x");
    server.signal(SIGHUP);
    return server.service().children_gone >= 30;
  }));
  CHECK(eventually([&] { return descriptors() <= before; }));
}
