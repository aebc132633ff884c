// SPDX-License-Identifier: MIT
// figures-interval: the log has the figures of a service, until nothing happens any more.
#include <csignal>
#include <sstream>

#include "controlled.hpp"

using namespace brood;
using namespace brood::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> figures(unsigned children, const std::string& more = "") {
  auto settings = pool(children);
  settings.push_back("--figures-interval=1s");
  if (!more.empty()) settings.push_back(more);
  return settings;
}

constexpr const char* line = ": figures: ";

// The last line of figures, without what stands in front of it.
std::string last_of(const ServerProcess& server) {
  const std::string log = server.log();
  const auto at = log.rfind(line);
  return at == std::string::npos ? "" : log.substr(at, log.find('\n', at) - at);
}

// Over all lines, the number before `word`.
unsigned long sum_of(const ServerProcess& server, const std::string& word) {
  unsigned long sum = 0;
  std::istringstream log(server.log());
  for (std::string each; std::getline(log, each);) {
    const auto figures = each.find(line), end = each.find(word, figures);
    if (figures == std::string::npos || end == std::string::npos) continue;
    sum += std::stoul(each.substr(each.rfind(' ', end - 1) + 1));
  }
  return sum;
}

// So many lines, and the parent has not woken for two intervals.
bool comes_to_rest(const ServerProcess& server) {
  return eventually([&] {
    const unsigned lines = server.count_in_log(line);
    return lines > 0 && rests(server.pid(), 2500ms) && server.count_in_log(line) == lines;
  });
}

void finish_one(const ServerProcess& server) {
  Client client = server.connect();
  CHECK(client.ask("echo x") == "x");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
}

}  // namespace

TEST_CASE("a service that rests writes one last line, and no tick wakes its parent") {
  ServerProcess server(figures(2));
  REQUIRE(comes_to_rest(server));
  CHECK(last_of(server).find(": 0 accepted, 0 ended, ") != std::string::npos);
  CHECK(last_of(server).find("children: 0 started, 0 ended, 0 failed") != std::string::npos);
  const unsigned lines = server.count_in_log(line);
  // There are spares enough: without the lines the parent would not look.
  finish_one(server);
  CHECK(server.wait_for_log(": 1 accepted, 1 ended, "));
  REQUIRE(comes_to_rest(server));
  CHECK(server.count_in_log(line) == lines + 2);
  CHECK(server.count_in_log(": 1 accepted, ") == 1);
}

TEST_CASE("while a connection is open, there is a line in each interval") {
  ServerProcess server(figures(2));
  REQUIRE(comes_to_rest(server));
  const unsigned lines = server.count_in_log(line);
  Client client = server.connect();
  CHECK(client.ask("echo x") == "x");
  CHECK(eventually([&] { return server.count_in_log(line) >= lines + 3; }));
  CHECK(last_of(server).find(": figures: 1 busy, 1 idle, ") == 0);
  client.close();
  CHECK(server.wait_for_log(": 0 accepted, 1 ended, "));
  CHECK(comes_to_rest(server));
  CHECK(last_of(server).find(": figures: 0 busy, 2 idle, ") == 0);
}

TEST_CASE("a child that has ended has a line") {
  ServerProcess server(figures(2));
  REQUIRE(comes_to_rest(server));
  ::kill(server.children().front(), SIGKILL);
  CHECK(server.wait_for_log(" started, 1 ended, 1 failed"));
  CHECK(comes_to_rest(server));
}

TEST_CASE("figures go on in the next program") {
  ServerProcess server(figures(2));
  REQUIRE(comes_to_rest(server));
  server.signal(SIGUSR2);
  REQUIRE(server.reaches(settled_at(2)));
  REQUIRE(comes_to_rest(server));
  finish_one(server);
  CHECK(server.wait_for_log(": 1 accepted, 1 ended, "));
}

TEST_CASE("an upgrade within an interval of figures loses none") {
  auto settings = pool(2);
  settings.push_back("--figures-interval=3s");
  ServerProcess server(settings);
  REQUIRE(comes_to_rest(server));
  Client held = server.connect();  // so there is a line in each interval
  CHECK(held.ask("echo x") == "x");
  REQUIRE(server.wait_for_log(": 1 accepted, "));
  finish_one(server);
  finish_one(server);
  server.signal(SIGUSR2);
  REQUIRE(
      server.reaches([](const auto& service) { return service.generation == 2 && service.starting == 0; }));
  finish_one(server);
  CHECK(eventually([&] { return sum_of(server, " accepted, ") == 4; }));
  held.close();
  CHECK(eventually([&] { return sum_of(server, " ended, ") == 4; }));
  REQUIRE(comes_to_rest(server));
  CHECK(sum_of(server, " accepted, ") == 4);
}

TEST_CASE("a reload switches the figures of a service on and off, and each has its own log") {
  const TemporaryDirectory place;
  const std::string own = "log = " + (place / "own") + "\nlog-format = json\n";
  const Controlled two;
  REQUIRE(two.settles());
  CHECK(two.server.count_in_log(line) == 0);
  two.write(own + "figures-interval = 1s\n");
  CHECK(two.ask("reload").code == 0);
  const auto lines = [&] {
    std::istringstream log(read_file(place / "own"));
    unsigned number = 0;
    for (std::string each; std::getline(log, each);)
      if (each.find("\"message\":\"service left: figures: ") != std::string::npos) ++number;
    return number;
  };
  CHECK(eventually([&] { return lines() > 0; }));
  CHECK(read_file(place / "own").find("\"level\":\"info\",") != std::string::npos);
  CHECK(two.server.count_in_log("service left: figures: ") > 0);
  CHECK(two.server.count_in_log("service right: figures: ") == 0);
  two.write(own);
  CHECK(two.ask("reload").code == 0);
  const unsigned before = lines();
  Client client = two.to_left();
  CHECK(client.ask("echo x") == "x");
  CHECK(stays([&] { return lines() == before; }, 2500ms));
}
