// SPDX-License-Identifier: MIT
// What is told of connections that have ended: on_connection_end(), the access log, counters, the load.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "broodctl.hpp"
#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

ServerOptions counting() { return {.program = "brood-counting-test-server"}; }

std::vector<std::string> with(std::vector<std::string> settings, const std::vector<std::string>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

std::int64_t counter(const ServiceSnapshot& service, const std::string& name) {
  for (const auto& one : service.counters)
    if (one.name == name) return one.value;
  return -1;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("on_connection_end tells how each connection has ended") {
  ServerProcess server(with(pool(1), {"--log-level=info"}), counting());
  {
    Client client = server.connect();
    CHECK(client.ask("note what it is") == "noted");
    client.finish_sending();
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.wait_for_log("ended: 127.0.0.1:"));
  CHECK(server.wait_for_log(" at " + server.address() + ", note 'what it is', waited unknown, took "));
  CHECK(server.wait_for_log(", read 16, written 6, served"));
  server.connect().send("throw\n");
  CHECK(server.wait_for_log(", read 6, written 0, failed"));
  server.connect().send("late\n");
  CHECK(server.wait_for_log(", read 5, written 0, timed-out"));
  server.connect().close();
  CHECK(server.wait_for_log(", read 0, written 0, probe"));
}

TEST_CASE("an exception of on_connection_end is logged, and costs nobody anything") {
  ServerProcess server(with(pool(1), {"--end=throw"}), counting());
  Client client = server.connect();
  const pid_t child = client.child();
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(server.wait_for_log("on_connection_end ended by an exception: no end"));
  CHECK(server.connect().child() == child);
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished >= 1 && service.total.failed == 0; }));
}

TEST_CASE("the time that a connection has waited in the queue is measured") {
  ServerProcess server(with(pool(1), {"--measure=yes"}), counting());
  Client first = server.connect();
  first.send("sleep 400\n");
  Client second = server.connect();
  CHECK(first.line() == "slept");
  first.finish_sending();
  CHECK(first.ending() == Ending::closed);
  CHECK(second.ask("note second") == "noted");
  second.finish_sending();
  CHECK(second.ending() == Ending::closed);
  REQUIRE(server.wait_for_log("note 'second', waited "));
  const std::string log = server.log();
  const auto at = log.find("note 'second', waited ");
  CHECK(std::stoi(log.substr(at + 22)) >= 300);
}

TEST_CASE("counters are summed over children and kept, and gauges live with their children") {
  ServerProcess server(pool(2), counting());
  auto clients = server.hold(2);
  CHECK(clients[0].ask("count 5") == "counted");
  CHECK(clients[1].ask("count 7") == "counted");
  CHECK(clients[0].ask("hold") == "holding");
  CHECK(clients[1].ask("hold") == "holding");
  // The million is the parent's own.
  CHECK(server.reaches(
      [](const auto& now) { return counter(now, "things") == 12 && counter(now, "held") == 2; }));
  const CtlAnswer status = broodctl("status " + server.scoreboard());
  CHECK(status.says("\ncounters     things 12, held 2\n"));
  const auto json = nlohmann::json::parse(broodctl("--json status " + server.scoreboard()).text);
  CHECK(json["services"][0]["counters"] == nlohmann::json{{"things", 12}, {"held", 2}});

  SUBCASE("a child is killed") { ::kill(server.children().at(0), SIGKILL); }
  SUBCASE("a child crashes") {
    clients[0].close();
    CHECK(server.reaches([](const auto& now) { return counter(now, "held") == 1; }));
    server.connect().send("crash\n");
  }
  CHECK(server.reaches([](const auto& now) { return counter(now, "held") == 1 && now.children_gone >= 1; }));
  clients.clear();
  CHECK(server.reaches([](const auto& now) { return counter(now, "held") == 0; }));
  CHECK(counter(server.service(), "things") == 12);
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  CHECK(counter(server.service(), "things") == 12);
}

TEST_CASE("a child that has given its slot back counts for nobody else") {
  ServerProcess server(pool(2), counting());
  Client client = server.connect();
  CHECK(client.ask("count 5") == "counted");
  CHECK(client.ask("detach") == "detached");
  CHECK(client.ask("count 100") == "counted");
  CHECK(server.connect().ask("count 6") == "counted");
  CHECK(server.reaches([](const auto& now) { return counter(now, "things") == 11; }));
}

TEST_CASE("a counter that can't be had ends the program at its start") {
  ServerOptions options = counting();
  options.wait_ready = false;
  options.in_process = [] { ::setenv("COUNTER_NAME", "two words", 1); };
  ServerProcess server(pool(1), options);
  CHECK(server.wait_exit() == exited(70));
  CHECK(server.standard_error().find("counter 'two words' needs a name") != std::string::npos);
}

TEST_CASE("a handler learns how full the service is") {
  ServerProcess server(pool(2), counting());
  auto clients = server.hold(2);
  clients[1].close();
  CHECK(eventually([&] { return clients[0].ask("load").starts_with("1 1 0 0"); }));
  Client second = server.connect();
  CHECK(second.ask("sleep 200") == "slept");
  second.finish_sending();
  CHECK(second.ending() == Ending::closed);
  Client third = server.connect();
  CHECK(third.child() > 0);
  std::vector<Client> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(server.connect());
  CHECK(eventually([&] { return clients[0].ask("load").starts_with("0 2 3 "); }));
  CHECK(std::stoi(clients[0].ask("load").substr(6)) > 50);
}

TEST_CASE("the access log has a line for each connection, whatever the child model") {
  const TemporaryDirectory place;
  const std::string path = place / "access";
  struct Row {
    const char* program;
    const char* question;
  };
  Row row{};
  SUBCASE("blocking") { row = {"brood-counting-test-server", "count 1"}; }
  SUBCASE("event loop") { row = {"brood-event-test-server", "echo x"}; }
  SUBCASE("coroutines") { row = {"brood-async-test-server", "echo x"}; }
  ServerProcess server(with(pool(2), {"--access-log=" + path, "--access-log-format=json"}),
                       {.program = row.program});
  constexpr unsigned number = 20;
  for (unsigned i = 0; i < number; ++i) {
    Client client = server.connect();
    client.ask(row.question);
    client.finish_sending();
    CHECK(client.ending() == Ending::closed);
  }
  REQUIRE(eventually([&] { return lines_of(path).size() >= number; }));
  std::uint64_t read = 0;
  for (const auto& line : lines_of(path)) {
    const auto one = nlohmann::json::parse(line);
    CHECK(one["outcome"] == "served");
    CHECK(one["listener"] == server.address());
    CHECK(one["peer"].get<std::string>().starts_with("127.0.0.1:"));
    CHECK(one["waited_seconds"].is_number());
    read += one["read_bytes"].get<std::uint64_t>();
  }
  CHECK(lines_of(path).size() == number);
  CHECK(read == number * (std::string(row.question).size() + 1));
}

TEST_CASE("triggers are in the access log as well") {
  const TemporaryDirectory place;
  const std::string path = place / "access";
  ServerProcess server(with(pool(1), {"--access-log=" + path, "--listen=timer:20ms,name=tick"}),
                       {.program = "brood-trigger-test-server", .listen = false});
  CHECK(eventually([&] { return lines_of(path).size() >= 3; }));
  CHECK(lines_of(path).at(0).find(" peer=trigger listener=tick ") != std::string::npos);
}

TEST_CASE("after SIGUSR1 the access log is a new file") {
  const TemporaryDirectory place;
  const std::string path = place / "access";
  ServerProcess server(with(pool(2), {"--access-log=" + path}), counting());
  Load load(server.address(), 2, "count 1", "counted");
  CHECK(load.more_answers(50));
  std::filesystem::rename(path, path + ".1");
  server.signal(SIGUSR1);
  CHECK(eventually([&] { return lines_of(path).size() > 20; }));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(eventually([&] { return lines_of(path).size() + lines_of(path + ".1").size() == figures.answered; }));
}

TEST_CASE("an access log that can't be written is a mistake in the settings") {
  const TemporaryDirectory place;
  std::string path;
  SUBCASE("no such directory") { path = place / "nowhere/access"; }
  SUBCASE("a directory") { path = place / ""; }
  ServerProcess server(with(pool(1), {"--access-log=" + path}),
                       {.program = "brood-counting-test-server", .wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find("access-log = " + path) != std::string::npos);
}
