// SPDX-License-Identifier: MIT
// broodctl advise on real servers.
#include <doctest/doctest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "broodctl.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("advise: a server without clients has too little to tell") {
  ServerProcess server;
  const CtlAnswer answer = ask(server, "advise --for=200ms");
  CHECK(answer.code == 1);
  CHECK(answer.says("too thin"));
  const CtlAnswer json = ask(server, "advise --json --for=200ms");
  CHECK(json.code == 1);
  CHECK(nlohmann::json::parse(json.text)["services"].at(0)["too_thin"] == true);
}

TEST_CASE("advise: limits for the clients of a server, and wrong arguments") {
  ServerProcess server({"--max-clients=16"});
  std::atomic<bool> over = false;
  std::thread clients([&] {
    while (!over) server.connect().child();
  });
  CtlAnswer answer;
  // As many as are needed come in a while, on any machine.
  CHECK(eventually([&] {
    answer = ask(server, "advise --for=1s --wait=2% --within=1ms --max-clients=24");
    return answer.code == 0;
  }));
  over = true;
  clients.join();
  for (const char* part : {"brood-test-server: looked at for ", "Little's law",
                           "today        max-clients = 16: ", "what if      max-clients = 24: ",
                           "at most 2% wait longer than 1ms", "min-spare-servers = ", "Allen and Cunneen"}) {
    CAPTURE(answer.text);
    CHECK_MESSAGE(answer.says(part), part);
  }
  for (const char* wrong : {"--wait=1", "--wait=0%", "--within=5", "--max-clients=0", "--for=1ms", "nobody"})
    CHECK_MESSAGE(ask(server, "advise --for=100ms " + std::string(wrong)).code == 64, wrong);
  CHECK(ask(server, "list --wait=1%").says("--wait is an option of advise"));
}
