// SPDX-License-Identifier: MIT
// Children that serve many connections in coroutines: at the same time, within their limits, and without
// losing one when they leave.
#include <doctest/doctest.h>
#include <sys/types.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one_child(std::vector<std::string> more = {}) {
  std::vector<std::string> all = {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ServerOptions test_server() { return {.program = "brood-async-test-server"}; }

std::vector<Client> connect(const ServerProcess& server, unsigned number) {
  std::vector<Client> clients;
  for (unsigned i = 0; i < number; ++i) {
    clients.push_back(server.connect());
    CHECK(clients.back().ask("echo hello") == "hello");
  }
  return clients;
}

bool settled(const ServiceSnapshot& service, std::uint32_t generation) {
  return service.generation == generation && service.starting == 0 && service.leaving == 0 &&
         std::all_of(service.slots.begin(), service.slots.end(), [&](const auto& slot) {
           return slot.state == SlotState::empty || slot.generation == generation;
         });
}

}  // namespace

TEST_CASE("one child serves many connections side by side") {
  ServerProcess server(one_child({"--max-clients=1"}), test_server());
  auto clients = connect(server, 50);
  std::set<pid_t> children;
  for (auto& client : clients) children.insert(client.child());
  CHECK(children.size() == 1);
  const auto service = server.service();
  CHECK(service.open_connections == 50);
  CHECK(service.total.accepted == 50);
  CHECK(service.spare == 1);
  for (auto& client : clients) CHECK(client.ask("echo again") == "again");
  clients.clear();
  CHECK(
      server.reaches([](const auto& now) { return now.total.finished == 50 && now.open_connections == 0; }));
  CHECK(server.service().total.failed == 0);
  // echo hello, its answer, pid, its answer, echo again, its answer, of each.
  CHECK(server.service().total.bytes_read == 50 * (11 + 4 + 11));
}

TEST_CASE("a connection that waits for a timer holds up no other") {
  ServerProcess server(one_child(), test_server());
  auto clients = connect(server, 2);
  const pid_t child = clients[0].child();
  clients[0].send("hold 600000\n");
  CHECK(clients[1].child() == child);
  CHECK(server.connect().child() == child);
  CHECK(clients[1].ask("hold 1") == "held");
}

TEST_CASE("requests that come together are answered in their order") {
  ServerProcess server(one_child(), test_server());
  Client client = server.connect();
  client.send("echo one\nhold 20\necho two\nec");
  CHECK(client.line() == "one");
  CHECK(client.line() == "held");
  CHECK(client.line() == "two");
  client.send("ho three\n");
  CHECK(client.line() == "three");
}

TEST_CASE("one coroutine may read while another one writes") {
  ServerProcess server(one_child({"--connection-idle-timeout=30s"}), test_server());
  Client client = server.connect();
  CHECK(client.ask("both") == "both");
  for (int i = 0; i < 20; ++i) CHECK(client.ask("x") == "x");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.total.failed == 0; }));
}

TEST_CASE("an exception ends its connection, is counted as failed, and the child lives") {
  ServerProcess server(one_child(), test_server());
  auto clients = connect(server, 2);
  const pid_t child = clients[0].child();
  clients[0].send("throw on purpose\n");
  CHECK(clients[0].ending() == Ending::closed);
  CHECK(server.wait_for_log("ended by an exception: on purpose"));
  CHECK(clients[1].child() == child);
  CHECK(server.reaches([](const auto& service) {
    return service.total.failed == 1 && service.total.finished == 1 && service.open_connections == 1;
  }));
}

TEST_CASE("a peer that goes away in the middle is no cause for alarm") {
  ServerProcess server(one_child({"--log-level=debug"}), test_server());
  Client client = server.connect();
  client.send("flood 100000000\n");
  CHECK(!client.receive_some().empty());
  client.abandon();
  CHECK(server.reaches([](const auto& service) { return service.total.peers_gone == 1; }));
  CHECK(server.count_in_log("warning:") == 0);
  CHECK(server.count_in_log(" ended by an exception: write to 127.0.0.1:") == 1);
}

TEST_CASE("a unix socket is served as well, and the listener is known by its name") {
  const TemporaryDirectory place;
  const std::string address = "unix:" + (place / "socket");
  ServerProcess server(one_child({"--listen=" + address + ",name=local"}), test_server());
  CHECK(Client(address).ask("listener") == "local");
  CHECK(server.connect().ask("echo tcp") == "tcp");
}

TEST_CASE("input that was left unread doesn't cost the peer its answer") {
  ServerProcess server(one_child(), test_server());
  for (int i = 0; i < 20; ++i) {
    Client client = server.connect();
    client.send("bye\n" + std::string(300'000, 'x'));
    CHECK(client.line() == "bye");
    client.finish_sending();
    CHECK(client.ending() == Ending::closed);
  }
}

TEST_CASE("a peer that never stops sending is cut off, and delays no other") {
  ServerProcess server(one_child(), test_server());
  Client client = server.connect();
  client.send("bye\n" + std::string(300'000, 'x'));
  CHECK(client.line() == "bye");
  CHECK(server.connect().ask("echo on") == "on");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 2; }));
}

// ---- limits

TEST_CASE("a connection on which nothing comes for connection-idle-timeout is closed") {
  ServerProcess server(one_child({"--connection-idle-timeout=1s"}), test_server());
  Client client = server.connect();
  SUBCASE("before the first request") {}
  SUBCASE("between requests") { client.ask("echo x"); }
  SUBCASE("in the middle of one, read with Boost.Asio") { client.send("half a li"); }
  SUBCASE("in read_some()") { client.send("wait\n"); }
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.service().total.failed == 0);
  CHECK(server.count_in_log("warning:") == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("a handler that waits for something else is not idle") {
  ServerProcess server(one_child({"--connection-idle-timeout=1s"}), test_server());
  CHECK(server.connect().ask("hold 1500") == "held");
}

TEST_CASE("a peer that doesn't take its answer is closed as well, and counts as timed out") {
  ServerProcess server(one_child({"--connection-idle-timeout=1s"}), test_server());
  Client client = server.connect();
  client.send("flood 100000000\n");
  CHECK(server.reaches(
      [](const auto& service) { return service.total.timed_out == 1 && service.total.finished == 1; }));
  CHECK(server.connect().ask("echo on") == "on");
}

TEST_CASE("a connection beyond connection-timeout is closed by its child, and counts as timed out") {
  ServerProcess server(one_child({"--max-clients=1", "--connection-timeout=2s"}), test_server());
  Client client = server.connect();
  const pid_t child = client.child();
  SUBCASE("between requests") {}
  SUBCASE("in read_some()") { client.send("wait\n"); }
  SUBCASE("while the handler waits for something else") { client.send("hold 600000\n"); }
  SUBCASE("while the peer takes nothing") { client.send("flood 20000000\n"); }
  CHECK(server.wait_for_log("beyond connection-timeout; it is closed"));
  client.ending();
  CHECK(server.reaches([](const auto& service) {
    return service.total.timed_out == 1 && service.total.finished == 1 && service.open_connections == 0;
  }));
  CHECK(server.connect().child() == child);
  CHECK(server.service().connection_timeouts == 0);  // those that the parent has to end
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("test_server: a child leaves") >= 1);
}

TEST_CASE("beyond max-connections-per-child the spares serve") {
  ServerProcess server(one_child({"--max-connections-per-child=2", "--max-clients=8"}), test_server());
  auto clients = connect(server, 7);
  std::map<pid_t, int> connections;
  for (auto& client : clients) ++connections[client.child()];
  CHECK(connections.size() >= 4);
  for (const auto& [child, number] : connections) CHECK(number <= 2);
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 7 && service.spare >= 1; }));
  clients.clear();
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 7; }));
}

TEST_CASE("a child that was full takes connections again") {
  ServerProcess server(one_child({"--max-connections-per-child=2", "--max-clients=1"}), test_server());
  auto clients = connect(server, 2);
  Client third = server.connect();
  third.send("pid\n");
  CHECK(server.reaches(
      [](const auto& service) { return service.open_connections == 2 && service.spare == 0; }));
  const pid_t child = clients[0].child();
  clients.pop_back();
  CHECK(third.line() == std::to_string(child));
}

// ---- leaving

TEST_CASE("coroutines lose no connection by reloads under load") {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4"},
                       test_server());
  Watch watch(server.scoreboard(), [](const ServiceSnapshot&) {});
  Load load(server.address(), 8);
  for (std::uint32_t generation = 2; generation <= 6; ++generation) {
    CHECK(load.more_answers(50));
    server.signal(SIGHUP);
    CHECK(server.reaches([&](const auto& service) { return settled(service, generation); }));
  }
  const LoadFigures figures = load.stop();
  watch.stop();
  CHECK(figures.failed() == 0);
  CHECK(watch.broken_sums() == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.total.accepted == figures.answered && service.total.finished == figures.answered;
  }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("no exchange is lost on connections that are kept, where the last answer says that it is" *
          doctest::test_suite("slow")) {
  ServerProcess server({"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4"},
                       test_server());
  std::atomic<bool> stopping = false;
  std::atomic<unsigned> lost = 0, last = 0, exchanges = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      while (!stopping) try {
          Client client = server.connect();
          while (!stopping) {
            const std::string answer = client.ask("more");
            ++exchanges;
            if (answer == "more") continue;
            ++(answer == "last" ? last : lost);
            break;
          }
        } catch (const ClientError&) {
          ++lost;
        }
    });
  for (std::uint32_t generation = 2; generation <= 5; ++generation) {
    const unsigned wanted = exchanges + 100;
    CHECK(eventually([&] { return exchanges >= wanted; }));
    server.signal(SIGHUP);
    CHECK(server.reaches([&](const auto& service) { return settled(service, generation); }));
  }
  stopping = true;
  for (auto& client : clients) client.join();
  CHECK(lost == 0);
  CHECK(last >= 8);
  CHECK(server.reaches([](const auto& service) { return service.total.finished == service.total.accepted; }));
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("a child that leaves closes connections between requests, and finishes the others") {
  ServerProcess server(one_child(), test_server());
  auto clients = connect(server, 3);
  const pid_t child = clients[0].child();
  clients[1].send("wait\n");  // in the middle of something
  clients[2].send("hold 2500\n");
  server.signal(SIGHUP);
  CHECK(clients[0].ending() == Ending::closed);
  CHECK(clients[2].line() == "held");
  CHECK(clients[2].ending() == Ending::closed);
  CHECK(is_alive(child));
  clients[1].finish_sending();
  CHECK(clients[1].ending() == Ending::closed);
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.reaches([](const auto& service) {
    return settled(service, 2) && service.total.finished == 3 && service.total.failed == 0;
  }));
}

TEST_CASE("SIGTERM finishes open connections of coroutines") {
  ServerProcess server(one_child({"--max-clients=1"}), test_server());
  auto clients = connect(server, 2);
  for (int i = 0; i < 50; ++i) CHECK(clients[1].ask("background") == "there");
  clients[0].send("hold 700\n");
  server.signal(SIGTERM);
  CHECK(clients[0].line() == "held");
  CHECK(clients[0].ending() == Ending::closed);
  CHECK(clients[1].ending() == Ending::closed);
  CHECK(server.wait_exit() == exited(0));
  // Coroutines that wait for something else don't delay it, and nothing of them is left.
  CHECK(server.count_in_log("test_server: a child leaves") == 1);
  CHECK(server.count_in_log("left behind") == 0);
}

TEST_CASE("a child that is killed costs its connections, all of which are counted as aborted") {
  ServerProcess server(one_child({"--max-clients=1"}), test_server());
  auto clients = connect(server, 10);
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 10; }));
  ::kill(clients[0].child(), SIGKILL);
  for (auto& client : clients) CHECK(client.ending() == Ending::closed);
  CHECK(
      server.reaches([](const auto& service) { return service.total.aborted == 10 && service.spare >= 1; }));
  CHECK(server.connect().ask("echo again") == "again");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.service().total.accepted == 11);
}

TEST_CASE("children are replaced at their cap under load, and the figures add up") {
  ServerProcess server(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4", "--max-requests-per-child=50"},
      test_server());
  Watch watch(server.scoreboard(), [](const ServiceSnapshot&) {});
  Load load(server.address(), 8);
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 4; }));
  const LoadFigures figures = load.stop();
  watch.stop();
  CHECK(figures.failed() == 0);
  CHECK(watch.broken_sums() == 0);
  CHECK(server.reaches([&](const auto& service) { return service.total.finished == figures.answered; }));
}
