// SPDX-License-Identifier: MIT
// threads-per-child as a setting, and what happens where not all threads can be had.
#include <doctest/doctest.h>

#include <csignal>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool may_limit_memory = false;  // the sanitizer needs its own
#else
constexpr bool may_limit_memory = true;
#endif

}  // namespace

TEST_CASE("numbers of threads that are none, or too many, are refused with exit code 78") {
  for (const std::string value : {"0", "-1", "x", "", "1025", "99999999999", "2x", "CPU"}) {
    CAPTURE(value);
    ServerProcess server({"--threads-per-child=" + value},
                         {.program = "brood-thread-test-server", .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("threads-per-child = " + value) != std::string::npos);
    CHECK(server.standard_error().find("is not a number from 1 to 1024, 'cpu' or 'io'") != std::string::npos);
  }
}

TEST_CASE("threads of a program that doesn't say that it is thread-safe are refused") {
  for (const std::string value : {"2", "5", "cpu", "io"}) {
    CAPTURE(value);
    ServerProcess server({"--threads-per-child=" + value}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("threads-per-child = " + value +
                                       ": the handlers of this server are not declared thread-safe") !=
          std::string::npos);
  }
  ServerProcess server({"--threads-per-child=1"});
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("a reload to threads that the program can't bear is refused, and the server goes on") {
  const TemporaryDirectory place;
  const std::string file = place / "settings.conf";
  write_file(file, "threads-per-child = 1\n");
  ServerProcess server({"--config=" + file});
  write_file(file, "threads-per-child = 3\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("settings.conf:1: threads-per-child = 3"));
  CHECK(server.wait_for_log("reload refused"));
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().generation == 1);
}

TEST_CASE("the words for threads mean a number that depends on the machine") {
  for (const std::string word : {"cpu", "io"}) {
    ServerProcess server({"--threads-per-child=" + word}, {.program = "brood-thread-test-server"});
    const auto room_of_a_child = [&] {
      for (const auto& slot : server.service().slots)
        if (slot.capacity > 0) return slot.capacity;
      return 0U;
    };
    CHECK(server.reaches([](const auto& service) { return service.idle > 0; }));
    CHECK(room_of_a_child() >= (word == "cpu" ? 2 : 3));
  }
}

TEST_CASE("1024 threads in a child") {
  ServerProcess server({"--threads-per-child=1024", "--start-servers=1", "--min-spare-servers=1",
                        "--max-spare-servers=1", "--max-clients=2"},
                       {.program = "brood-thread-test-server"});
  CHECK(server.connect().ask("echo hello") == "hello");
  const pid_t child = server.children().front();
  CHECK(eventually([&] { return status_of(child, "Threads") == "1024"; }));
  server.signal(SIGHUP);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(server.service().children_failed == 0);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("where not all threads can be had a child ends with code 71, and the next one is started later") {
  if (!may_limit_memory) return;
  ServerProcess server({"--threads-per-child=200", "--child-memory=300", "--start-servers=2"},
                       {.program = "brood-thread-test-server", .wait_ready = false});
  CHECK(server.wait_for_log("start 200 threads: Resource temporarily unavailable"));
  CHECK(server.wait_for_log("exited with code 71"));
  CHECK(server.wait_for_log("children fail at once"));
  REQUIRE(eventually([&] { return server.running(); }));
  CHECK(stays([&] { return server.count_in_log("exited with code 71") < 10; }, 1s));
  CHECK(server.log().find("killed by signal") == std::string::npos);
  server.signal(SIGTERM);
  CHECK(server.wait_exit().has_value());
}
