// SPDX-License-Identifier: MIT
// How many children of coroutines a connection wakes, where Boost.Asio waits in epoll.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("one connection wakes one child of all that wait") {
  ServerProcess server(pool(8), {.program = "brood-async-test-server"});
  CHECK(server.reaches([](const auto& service) { return service.idle == 8; }));
  CHECK(server.connect().ask("echo hello") == "hello");
  const auto wakes = [&] {
    std::uint64_t sum = 0;
    for (const pid_t child : server.children())
      sum += std::stoull("0" + status_of(child, "voluntary_ctxt_switches"));
    return sum;
  };
  std::vector<Client> idle;
  const std::uint64_t before = wakes();
  for (unsigned i = 1; i <= 200; ++i) {  // one after another: several at once wake several
    idle.push_back(server.connect());
    CHECK(server.reaches([&](const auto& service) { return service.total.accepted == 1 + i; }));
  }
  CHECK(wakes() - before < 200 * 7 / 4);
}
