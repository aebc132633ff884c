// SPDX-License-Identifier: MIT
// What balancers learn of servers: from broodctl agent, as a service beside them, and by exit codes.
#include <doctest/doctest.h>

#include <csignal>

#include "broodctl.hpp"
#include "commanded.hpp"
#include "haproxy.hpp"
#include "load.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> agent_of(const ServerProcess& server) {
  return runs(program_path("broodctl") + " --server=" + server.scoreboard() + " agent", "connection",
              {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=2"});
}

// A server behind a balancer, and the agent beside it.
struct Served {
  ServerProcess server{{"--listen=127.0.0.1:0,proxy", "--start-servers=4", "--max-clients=8"},
                       {.listen = false}};
  ServerProcess agent{agent_of(server), host()};

  std::string line(const std::string& name) const {
    const std::string& at = agent.address();
    return "  server " + name + ' ' + server.address() +
           " weight 100 check inter 20ms send-proxy-v2 agent-check " +
           "agent-inter 20ms agent-addr 127.0.0.1 agent-port " + at.substr(at.rfind(':') + 1) + '\n';
  }
  CtlAnswer order(const std::string& verb) const { return ask(server, verb + ' ' + server.service().name); }
};

}  // namespace

TEST_CASE("an agent as a service answers while all children are busy") {
  ServerProcess server(pool(4));
  ServerProcess agent(agent_of(server), host());
  const auto told = [&] { return agent.connect().until_end(); };
  CHECK(told() == "up ready 100%\n");
  auto held = server.hold(4);
  CHECK(told() == "up ready 1%\n");
  const std::string name = server.service().name;
  BroodctlProcess pause(to(server, "pause " + name));
  CHECK(eventually([&] { return told() == "up drain\n"; }));
  held.clear();
  CHECK(pause.wait().code == 0);
  CHECK(ask(server, "resume " + name).code == 0);
  CHECK(eventually([&] { return told().starts_with("up ready "); }));
  server.signal(SIGTERM);
  CHECK(eventually([&] { return told() == "up drain\n"; }));
  server.signal(SIGKILL);
  CHECK(eventually([&] { return told().starts_with("down #"); }));
  CHECK(agent.service().total.failed == 0);
}

TEST_CASE("exit codes for keepalived") {
  ServerProcess server(pool(2));
  const auto code = [&](const std::string& order) { return ask(server, order).code; };
  CHECK(code("status --exit-code=critical") == 0);
  CHECK(code("agent --exit-code=state") == 0);
  CHECK(code("agent --exit-code=weight") == 102);
  const std::string name = server.service().name;
  REQUIRE(code("pause " + name) == 0);
  CHECK(code("status") == 1);
  CHECK(code("status --exit-code=critical") == 0);
  CHECK(code("agent") == 0);
  CHECK(code("agent --exit-code=state") == 1);
  CHECK(code("agent --exit-code=weight") == 1);
  REQUIRE(code("resume " + name) == 0);
  server.signal(SIGSTOP);
  CHECK(eventually([&] { return code("status --exit-code=critical") == 1; }));
  CHECK(code("agent nobody --exit-code=state") == 1);
  CHECK(code("status --exit-code=state") == 64);
  CHECK(code("agent --exit-code=critical") == 64);
  CHECK(code("agent a b") == 64);
  server.signal(SIGKILL);
  CHECK(eventually([&] { return code("agent --exit-code=weight") == 1; }));
  CHECK(broodctl("--server=/nowhere/at/all agent").text.starts_with("down #"));
}

TEST_CASE(
    "haproxy with checks and an agent: a pause, a reload and a stop of one of two servers fail nobody") {
  if (!HaProxy::is_installed()) {
    MESSAGE("skipped: haproxy is not installed");
    return;
  }
  Served one, two;
  HaProxy balancer(one.line("one") + two.line("two"));
  CAPTURE(balancer.output());
  CAPTURE(one.server.log());
  CHECK(balancer.shows("one", "UP"));
  CHECK(balancer.shows("two", "UP"));
  Load load(balancer.address(), 4);
  CHECK(load.more_answers(20));
  CHECK(one.order("pause").code == 0);
  CHECK(balancer.shows("one", "DRAIN"));
  Load later(balancer.address(), 2);  // those that were sent there before it was known wait
  CHECK(later.more_answers(20));
  CHECK(later.stop().failed() == 0);
  CHECK(one.order("resume").code == 0);
  CHECK(balancer.shows("one", "UP"));
  CHECK(one.order("reload").code == 0);
  CHECK(load.more_answers(20));
  one.server.signal(SIGTERM);
  CHECK(one.server.wait_exit() == exited(0));
  CHECK(balancer.shows("one", "DOWN"));
  CHECK(load.more_answers(20));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(figures.answered >= 80);
  CHECK(two.server.reaches([](const auto& service) { return service.open_connections == 0; }));
  const auto total = two.server.service().total;
  CHECK(total.failed + total.aborted + total.refused_proxy == 0);
}

TEST_CASE("the settings for haproxy in etc/balancers have no mistakes") {
  if (!HaProxy::is_installed()) {
    MESSAGE("skipped: haproxy is not installed");
    return;
  }
  CHECK(HaProxy::accepts(std::string(BROOD_SOURCE) + "/etc/balancers/haproxy.cfg"));
}
