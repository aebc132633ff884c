// SPDX-License-Identifier: MIT
// A server from a lambda, and one that says that it is thread-safe.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

void say_thread_safe() { ::setenv("BROOD_TEST_SERVER", "threads", 1); }  // NOLINT(concurrency-mt-unsafe)

}  // namespace

TEST_CASE("a lambda serves, and takes no threads unless it says so") {
  {
    ServerProcess server({"--start-servers=1"}, {.program = "brood-lambda-test-server"});
    CHECK_FALSE(server.connect().ask("hello").empty());
    CHECK_FALSE(server.connect().ask("hello").empty());
    CHECK(server.reaches([](const auto& service) { return service.total.finished == 2; }));
  }
  ServerProcess refused({"--threads-per-child=2"},
                        {.program = "brood-lambda-test-server", .wait_ready = false});
  CHECK(refused.wait_exit() == exited(78));
}

TEST_CASE("a lambda that is thread-safe runs in several threads of a child") {
  ServerProcess server({"--threads-per-child=3", "--start-servers=1", "--min-spare-servers=1",
                        "--max-spare-servers=1", "--max-clients=1"},
                       {.program = "brood-lambda-test-server", .in_process = say_thread_safe});
  std::vector<Client> held;
  std::set<std::string> threads;
  for (int i = 0; i < 3; ++i) {
    held.push_back(server.connect());
    threads.insert(held.back().ask("hello"));
  }
  CHECK(threads.size() == 3);
}
