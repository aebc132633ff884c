// SPDX-License-Identifier: MIT
// status-listen on real servers: it answers whatever children, handlers and clients do, and goes on over
// reloads and upgrades.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "brood_directory.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"
#include "web.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::string anywhere = "--status-listen=127.0.0.1:0";

// The last one that the log names.
std::string status_address_of(const ServerProcess& server) {
  const std::string log = server.log(), before = " info: status on ";
  const auto at = log.rfind(before);
  REQUIRE(at != std::string::npos);
  return log.substr(at + before.size(), log.find('\n', at) - at - before.size());
}

WebAnswer get(const std::string& address, const std::string& path) { return WebClient(address).get(path); }

nlohmann::json json_of(const std::string& address) {
  return nlohmann::json::parse(get(address, "/status.json").body);
}

// 0: there is none now.
pid_t reporter_of(pid_t parent) {
  for (const pid_t child : children_of(parent)) {
    std::ifstream file("/proc/" + std::to_string(child) + "/comm");
    std::string name;
    if (std::getline(file, name) && name == "brood-status") return child;
  }
  return 0;
}

}  // namespace

TEST_CASE("the status listener answers while every child is busy and hangs") {
  auto arguments = pool(3);
  arguments.push_back(anywhere);
  ServerProcess server(arguments);
  const auto clients = server.hold(3);
  const std::string status = status_address_of(server);
  const auto json = json_of(status);
  CHECK(json["version"] == 1);
  CHECK(json["services"][0]["children"]["busy"] == 3);
  CHECK(json["services"][0]["at_max_clients"] == true);
  CHECK(json["parent"]["alive"] == true);
  CHECK(get(status, "/").status == 200);
  CHECK(get(status, "/readyz").body == "ready\n");
  CHECK(get(status, "/metrics").body.find("brood_at_max_clients{service=\"brood-test-server\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("the status listener answers while parent and children are stopped") {
  ServerProcess server({anywhere});
  const std::string status = status_address_of(server);
  CHECK(get(status, "/livez").status == 200);
  const pid_t reporter = reporter_of(server.pid());
  for (const pid_t child : children_of(server.pid()))
    if (child != reporter) ::kill(child, SIGSTOP);
  server.signal(SIGSTOP);
  CHECK(eventually([&] { return get(status, "/livez").body == "the parent is stopped\n"; }));
  CHECK(get(status, "/readyz").status == 503);
  server.signal(SIGCONT);
  CHECK(eventually([&] { return get(status, "/livez").status == 200; }));
}

TEST_CASE("the status listener asks the kernel who waits, also while the parent is stopped") {
  auto arguments = pool(1);
  arguments.push_back(anywhere);
  ServerProcess server(arguments);
  const std::string status = status_address_of(server);
  const auto held = server.hold(1);
  REQUIRE(at_rest(server.pid(), [] { return true; }));
  server.signal(SIGSTOP);  // it sees nobody who comes from now on
  const std::vector<Client> waiting = [&] {
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(server.connect());
    return clients;
  }();
  CHECK(eventually([&] { return json_of(status)["services"][0]["queue"]["waiting"] == 3; }));
  CHECK(get(status, "/metrics").body.find("brood_waiting_connections{service=\"brood-test-server\"} 3\n") !=
        std::string::npos);
  server.signal(SIGCONT);
}

TEST_CASE("GET and HEAD are answered, and nothing else") {
  ServerProcess server({anywhere});
  WebClient client(status_address_of(server));
  const WebAnswer got = client.get("/readyz?verbose"), head = client.get("/readyz", "", "HEAD");
  CHECK(got.status == 200);
  CHECK(head.status == 200);
  CHECK(head["Content-Length"] == got["Content-Length"]);
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
    CHECK(client.get("/readyz", "", method).status == 405);
  CHECK(client.get("/livez").status == 200);  // on the same connection
  CHECK(WebClient(status_address_of(server)).get("/readyz", "Content-Length: 1\r\n").status == 413);
  WebClient strange(status_address_of(server));
  strange.send("GET /readyz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(strange.answer().status == 421);
  WebClient large(status_address_of(server));
  CHECK(large.get("/", "X: " + std::string(9000, 'x') + "\r\n").status == 431);
  WebClient nonsense(status_address_of(server));
  nonsense.send("\x16\x03\x01 nonsense\r\n\r\n");
  CHECK(nonsense.answer().status == 400);
}

TEST_CASE("clients of the status listener that ask nothing keep out nobody") {
  ServerProcess server({anywhere});
  const std::string status = status_address_of(server);
  std::vector<Client> silent;
  for (int i = 0; i < 200; ++i) silent.emplace_back(status);
  CHECK(get(status, "/readyz").status == 200);
}

TEST_CASE("a status process that dies is replaced") {
  ServerProcess server({anywhere});
  const std::string status = status_address_of(server);
  CHECK(get(status, "/readyz").status == 200);
  const pid_t first = reporter_of(server.pid());
  REQUIRE(first != 0);
  ::kill(first, SIGKILL);
  CHECK(get(status, "/readyz").status == 200);  // the queue is still there
  CHECK(server.wait_for_log("status-listen: process " + std::to_string(first) +
                            " was killed by signal 9 (Killed); it is started again"));
  for (int i = 0; i < 3; ++i) {  // the last ones are started again later, and clients wait
    pid_t next = 0;
    REQUIRE(eventually([&] { return (next = reporter_of(server.pid())) != 0; }));
    ::kill(next, SIGKILL);
  }
  CHECK(get(status, "/readyz").status == 200);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("no request is lost at the status listener over reloads and upgrades") {
  Upgradeable upgradeable({anywhere});
  const ServerProcess& server = upgradeable.server;
  const std::string status = status_address_of(server);
  std::atomic<bool> ends = false;
  std::atomic<unsigned> answered = 0, failed = 0;
  std::uint64_t accepted = 0;
  std::atomic<bool> went_back = false;
  std::thread asker([&] {
    while (!ends) try {
        const auto json = json_of(status);
        const std::uint64_t now = json["services"][0]["total"]["accepted"];
        if (now < accepted) went_back = true;
        accepted = now;
        ++answered;
      } catch (...) {
        ++failed;
      }
  });
  const auto more_answers = [&] {
    return eventually([&, before = answered.load()] { return answered > before + 5; });
  };
  for (int i = 0; i < 5; ++i) {
    CHECK(Client(server.address()).ask("echo x") == "x");
    server.signal(SIGHUP);
    CHECK(more_answers());
    CHECK(upgradeable.upgrade());
    CHECK(more_answers());
  }
  ends = true;
  asker.join();
  CHECK(failed == 0);
  CHECK_FALSE(went_back);
  CHECK(status_address_of(server) == status);
}

TEST_CASE("a reload opens, changes and closes the status listener") {
  Upgradeable upgradeable;
  const ServerProcess& server = upgradeable.server;
  const std::string path = upgradeable.server.directory() / "status";
  upgradeable.write_settings("status-listen = unix:" + path + ",mode=0600\n");
  server.signal(SIGHUP);
  REQUIRE(server.wait_for_log("info: status on unix:" + path));
  CHECK(get("unix:" + path, "/readyz").status == 200);
  upgradeable.write_settings("status-listen = unix:/nowhere/at/all\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("; it goes on as before"));
  CHECK(get("unix:" + path, "/readyz").status == 200);
  upgradeable.write_settings("");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("no status listener any more"));
  CHECK(eventually([&] { return reporter_of(server.pid()) == 0; }));
  struct stat there {};
  CHECK(::stat(path.c_str(), &there) != 0);
}

TEST_CASE(
    "while the server drains the status listener says that it is not ready, and it ends with the server") {
  ServerProcess server({anywhere, "--drain-delay=10m"});
  const std::string status = status_address_of(server);
  server.signal(SIGTERM);
  CHECK(eventually([&] { return get(status, "/readyz").status == 503; }));
  CHECK(get(status, "/livez").status == 200);
  const pid_t reporter = reporter_of(server.pid());
  SUBCASE("that stops") { server.signal(SIGTERM); }
  SUBCASE("that is killed") { server.signal(SIGKILL); }
  CHECK(server.wait_exit());
  CHECK(eventually([&] { return !is_alive(reporter); }));
}

TEST_CASE("the status process has no rights and nothing of the server but what it reads") {
  if (skipped_without_root()) return;
  ServerProcess server({anywhere, "--start-servers=2"});
  CHECK(get(status_address_of(server), "/status.json").status == 200);
  const pid_t reporter = reporter_of(server.pid());
  CHECK(status_of(reporter, "Uid") == "65534\t65534\t65534\t65534");
  CHECK(status_of(reporter, "Gid") == "65534\t65534\t65534\t65534");
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    CHECK(status_of(reporter, set) == "0000000000000000");
  CHECK(status_of(reporter, "NoNewPrivs") == "1");
  std::ifstream maps("/proc/" + std::to_string(reporter) + "/maps");
  unsigned scoreboards = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(".scoreboard") == std::string::npos) continue;
    ++scoreboards;
    CHECK_MESSAGE(line.find(" r--s ") != std::string::npos, line);
  }
  CHECK(scoreboards == 1);
  for (const auto& open : descriptors_of_process(reporter))
    CHECK_MESSAGE(open.find(".scoreboard") == std::string::npos, open);
}

TEST_CASE("without clients the status process sleeps") {
  ServerProcess server({anywhere});
  CHECK(get(status_address_of(server), "/readyz").status == 200);
  const pid_t reporter = reporter_of(server.pid());
  CHECK(eventually([&] { return rests(reporter, 2s); }));
}

TEST_CASE("brood has one status listener for all services, and knows of those that come and go") {
  const Directory directory(one_child);
  directory.add("one");
  ServerProcess server(in(directory, {anywhere}), brood_options());
  const std::string status = status_address_of(server);
  CHECK(json_of(status)["services"].size() == 1);
  directory.add("two");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return json_of(status)["services"].size() == 2; }));
  directory.remove("one");
  server.signal(SIGHUP);
  CHECK(eventually([&] {
    const auto services = json_of(status)["services"];
    return services.size() == 1 && services[0]["name"] == "two";
  }));
}

TEST_CASE("a server whose runtime-directory is none shows its status, too") {
  ServerProcess server({anywhere, "--runtime-directory=none"}, {.runtime_directory = false});
  CHECK(json_of(status_address_of(server))["services"][0]["children"]["total"] >= 1);
}

TEST_CASE("a status-listen that can't be opened is a mistake at the start") {
  ServerProcess taken({anywhere});
  ServerProcess server({"--status-listen=" + status_address_of(taken)}, {.wait_ready = false});
  CHECK(server.wait_exit() == exited(71));
  CHECK(server.standard_error().find("bind to ") != std::string::npos);
}
