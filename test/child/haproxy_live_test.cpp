// SPDX-License-Identifier: MIT
// HAProxy as the sender of PROXY headers: checks, load, a reload and a pause.
#include "haproxy.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "broodctl.hpp"
#include "load.hpp"
#include "models.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("behind haproxy: checks, load, reloads and a pause, and no connection fails") {
  if (!HaProxy::is_installed()) {
    MESSAGE("skipped: haproxy is not installed");
    return;
  }
  std::vector<std::string> arguments = {"--listen=127.0.0.1:0,proxy", "--start-servers=2",
                                        "--min-spare-servers=1", "--max-spare-servers=3", "--max-clients=4"};
  ServerOptions options = model(arguments);
  options.listen = false;
  for (const std::string send : {"send-proxy", "send-proxy-v2 proxy-v2-options crc32c,unique-id"}) {
    CAPTURE(send);
    const bool second = send != "send-proxy";
    ServerProcess server(arguments, options);
    HaProxy balancer("  unique-id-format id-%pid\n  server one " + server.address() + " check inter 20ms " +
                     send + '\n');
    CAPTURE(balancer.output());
    CAPTURE(server.log());
    Client client(balancer.address());
    const std::string answer = client.ask("client");
    CHECK(answer.find(' ' + balancer.address() + " from 127.0.0.1") != std::string::npos);
    CHECK((answer.find(" 5=id-") != std::string::npos) == second);
    client.close();
    Load load(balancer.address(), 4);
    server.signal(SIGHUP);
    CHECK(load.more_answers(20));
    CHECK(server.reaches(settled_at(2)));
    const std::string name = server.service().name;
    CHECK(ask(server, "pause " + name).code == 0);
    CHECK(ask(server, "resume " + name).code == 0);
    CHECK(load.more_answers(20));
    const LoadFigures figures = load.stop();
    CHECK(figures.failed() == 0);
    CHECK(server.reaches([&](const auto& service) {
      return service.total.finished - service.total.probes == figures.answered + 1 &&
             service.total.probes + service.total.early_probes >= 3;
    }));
    const auto total = server.service().total;
    if (second)
      CHECK(total.accepted == figures.answered + 1);  // in version 1 a check is a client like any other
    CHECK(total.refused_proxy == 0);
    CHECK(total.failed + total.peers_gone + total.aborted == 0);
    CHECK(balancer.state_of("one")["status"] == "UP");
  }
}
