// SPDX-License-Identifier: MIT
// Listeners behind a balancer that speaks the PROXY protocol, in each child model.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "commanded.hpp"
#include "load.hpp"
#include "models.hpp"
#include "proxy_headers.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using namespace std::chrono_literals;

std::vector<std::string> behind_balancer(std::vector<std::string> more = {}) {
  std::vector<std::string> all = {"--listen=127.0.0.1:0,proxy,name=front"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// All child models that accept connections.
ServerOptions any_model(std::vector<std::string>& arguments) {
  ServerOptions options = model(arguments);
  options.listen = false;
  return options;
}

bool none_open(const ServiceSnapshot& service) {
  return service.open_connections == 0 && service.uncounted == 0 &&
         service.total.accepted == service.total.finished + service.total.aborted;
}

Client with_header(const ServerProcess& server, const std::string& header) {
  Client client = server.connect();
  client.send(header);
  return client;
}

const std::string known = "203.0.113.7:4711 198.51.100.1:80 from 127.0.0.1";

}  // namespace

TEST_CASE("behind a balancer: the handler sees the client and all that follows the header") {
  auto arguments = behind_balancer();
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  Client one = with_header(server, proxy_line + "client\n");
  CHECK(one.line() == known);
  CHECK(one.ask("echo more") == "more");
  CHECK(server.reaches([](const auto& service) {
    return std::ranges::any_of(service.slots,
                               [](const auto& slot) { return slot.peer == "203.0.113.7:4711"; });
  }));
  Client two =
      with_header(server, proxy_tcp4(proxy_field(2, "example.org") + proxy_field(5, "a7")) + "client\n");
  CHECK(two.line() == known + " 2=example.org 5=a7");
  Client real = with_header(server, "PROXY UNKNOWN\r\nclient\n");
  const std::string answer = real.line();
  CHECK(answer.starts_with("127.0.0.1:"));
  CHECK(answer.ends_with(server.address() + " from 127.0.0.1"));
  CHECK(server.service().total.accepted == 3);
  one.close(), two.close(), real.close();
  CHECK(
      server.reaches([](const auto& service) { return none_open(service) && service.total.finished == 3; }));
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("behind a balancer: a header that comes byte by byte") {
  auto arguments = behind_balancer();
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  for (const auto& header : {proxy_line, proxy_tcp4(proxy_field(2, std::string(300, 'x')))}) {
    Client client = server.connect();
    const auto before = server.service().total.accepted;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (i % 16 == 0) CHECK(server.service().total.accepted == before);
      client.send(header.substr(i, 1));
    }
    CHECK(client.ask("client").starts_with(known));
  }
  CHECK(
      server.reaches([](const auto& service) { return none_open(service) && service.total.accepted == 2; }));
}

TEST_CASE("behind a balancer: a header of 64 KiB") {
  auto arguments = behind_balancer();
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  Client client = with_header(server, proxy_tcp4(proxy_field(0xe0, std::string(65'500, 'x'))) + "echo it\n");
  CHECK(client.line() == "it");
}

TEST_CASE("behind a balancer: who sends no header or a wrong one is closed without a handler") {
  auto arguments = behind_balancer({"--proxy-timeout=300ms", "--start-servers=2"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  for (const std::string wrong :
       {"echo hello\n", "PROXY TCP4 x y 1 2\r\necho hello\n", "PROXY TCP4 203.0.113.7"}) {
    Client client = with_header(server, wrong);
    CHECK(client.until_end().empty());
  }
  Client late = server.connect();
  CHECK(late.until_end().empty());
  CHECK(server.reaches(
      [](const auto& service) { return none_open(service) && service.total.refused_proxy == 4; }));
  CHECK(server.service().total.accepted == 0);
  CHECK(server.service().total.early_probes == 0);
  CHECK(server.wait_for_log("at listener front refused: its PROXY header: there is none"));
  CHECK(server.wait_for_log("refused: its PROXY header has not come within proxy-timeout"));
  CHECK(with_header(server, proxy_line).ask("client") == known);
}

TEST_CASE("behind a balancer: messages about wrong headers are limited in rate") {
  auto arguments = behind_balancer({"--start-servers=1", "--min-spare-servers=1", "--max-clients=1"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  for (int i = 0; i < 100; ++i) CHECK(with_header(server, "GET /\r\n").until_end().empty());
  CHECK(server.reaches([](const auto& service) { return service.total.refused_proxy == 100; }));
  const unsigned logged = server.count_in_log("refused: ");
  CHECK(logged >= 10);
  CHECK(logged < 40);  // more than ten only if this has taken longer than ten seconds
}

TEST_CASE("behind a balancer: a sender that is not in proxy-from is refused") {
  auto arguments = behind_balancer({"--proxy-from=192.0.2.0/24 unix"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  CHECK(with_header(server, proxy_line + "client\n").until_end().empty());
  CHECK(server.reaches(
      [](const auto& service) { return none_open(service) && service.total.refused_proxy == 1; }));
  CHECK(server.wait_for_log("refused: its sender is not in proxy-from"));
}

TEST_CASE("behind a balancer: who comes in is decided by the client of the header") {
  const std::string denied = "PROXY TCP4 192.0.2.66 198.51.100.1 5555 80\r\n";
  auto arguments = behind_balancer(
      {"--deny=192.0.2.66", "--deny=127.0.0.1", "--max-connections-per-client=1", "--refusal=no\\r\\n"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  CHECK(with_header(server, denied).until_end() == "no\r\n");
  Client first = with_header(server, proxy_line + "echo one\n");
  CHECK(first.line() == "one");
  CHECK(with_header(server, proxy_line).until_end() == "no\r\n");
  first.close();
  CHECK(server.reaches([](const auto& service) { return none_open(service); }));
  Client again = with_header(server, proxy_line + "echo two\n");
  CHECK(again.line() == "two");
  again.close();
  // The balancer's own connections are let in.
  Client check = with_header(server, proxy_local() + "echo three\n");
  CHECK(check.line() == "three");
  check.close();
  CHECK(server.reaches([](const auto& service) {
    return none_open(service) && service.refused[static_cast<std::size_t>(RefusedBy::rule)] == 1 &&
           service.refused[static_cast<std::size_t>(RefusedBy::client_limit)] == 1 &&
           service.total.refused_proxy == 0 && service.total.accepted == 2;
  }));
}

TEST_CASE("behind a balancer: checks are probes and not accepted") {
  auto arguments = behind_balancer();
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  for (int i = 0; i < 3; ++i) server.connect().close();
  for (int i = 0; i < 3; ++i) server.connect().abandon();
  for (int i = 0; i < 3; ++i) with_header(server, proxy_local()).close();
  Client check = with_header(server, proxy_local() + "client\n");  // on the level of the application
  CHECK(check.line().ends_with(server.address() + " local from 127.0.0.1"));
  check.close();
  CHECK(server.reaches(
      [](const auto& service) { return none_open(service) && service.total.early_probes == 10; }));
  const auto total = server.service().total;
  CHECK(total.accepted == 0);
  CHECK(total.refused_proxy == 0);
  CHECK(total.failed + total.peers_gone + total.probes == 0);
}

TEST_CASE("behind a balancer: a listener without the header beside one with it") {
  auto arguments = behind_balancer({"--listen=127.0.0.1:0,name=plain"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  Client plain(server.addresses().at(1));
  CHECK(plain.ask("client").find(" from ") == std::string::npos);
  CHECK(with_header(server, proxy_line).ask("client") == known);
  server.connect().close();
  plain.close();
  Client(server.addresses().at(1)).close();
  CHECK(server.reaches([](const auto& service) {
    return none_open(service) && service.total.accepted == 3 && service.total.early_probes == 1;
  }));
}

TEST_CASE("behind a balancer: a unix socket") {
  const TemporaryDirectory directory;
  std::vector<std::string> arguments = {"--listen=unix:" + (directory / "socket") + ",proxy"};
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  CHECK(with_header(server, proxy_line).ask("client").starts_with("203.0.113.7:4711 198.51.100.1:80 from"));
}

TEST_CASE("behind a balancer: a child that leaves serves those whose header is late") {
  auto arguments = behind_balancer({"--start-servers=2", "--min-spare-servers=2", "--proxy-timeout=30s"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  std::vector<Client> late;
  for (int i = 0; i < 4; ++i) late.push_back(server.connect());
  CHECK(server.reaches([](const auto& service) { return service.uncounted == 4; }));
  Client gone = server.connect();
  CHECK(server.reaches([](const auto& service) { return service.uncounted == 5; }));
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) {
    return service.generation == 2 && std::ranges::all_of(service.slots, [](const auto& slot) {
             return slot.generation != 1 || slot.state != SlotState::idle;
           });
  }));
  for (auto& client : late) {
    client.send(proxy_line);
    CHECK(client.ask("client") == known);
    client.close();
  }
  gone.close();
  CHECK(server.reaches([](const auto& service) {
    return none_open(service) && service.total.early_probes == 1 && settled_at(2)(service);
  }));
  CHECK(server.service().total.aborted == 0);
}

TEST_CASE("behind a balancer: SIGTERM serves what waits") {
  auto arguments = behind_balancer({"--start-servers=2"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  std::vector<Client> asked;
  for (int i = 0; i < 20; ++i) asked.push_back(with_header(server, proxy_tcp4() + "client\n"));
  server.signal(SIGTERM);
  for (auto& client : asked) {
    CHECK(client.line() == known);
    client.close();
  }
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("behind a balancer: silent senders do not stop an event loop") {
  std::vector<std::string> arguments = behind_balancer(
      {"--start-servers=1", "--min-spare-servers=1", "--max-clients=1", "--proxy-timeout=30s"});
  ServerOptions options = model_of_many(arguments, 4);
  if (options.program == "brood-thread-test-server") return;  // a thread waits for each
  options.listen = false;
  ServerProcess server(arguments, options);
  std::vector<Client> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(server.connect());
    if (i % 2 == 0) silent.back().send("PROXY TCP4 ");
  }
  CHECK(server.reaches([](const auto& service) { return service.uncounted == 100; }));
  for (int i = 0; i < 10; ++i) CHECK(with_header(server, proxy_line).ask("client") == known);
  CHECK(server.service().total.accepted == 10);
}

TEST_CASE("behind a balancer: a killed child's connections that have not begun are not aborted") {
  auto arguments = behind_balancer({"--proxy-timeout=30s"});
  const ServerOptions options = any_model(arguments);
  ServerProcess server(arguments, options);
  const Client waits = server.connect();
  Client begun = with_header(server, proxy_line);
  CHECK(begun.ask("client") == known);
  CHECK(server.reaches([](const auto& service) { return service.uncounted == 1; }));
  for (const pid_t child : server.children()) ::kill(child, SIGKILL);
  CHECK(server.reaches([](const auto& service) { return none_open(service) && service.total.aborted == 1; }));
}

TEST_CASE("behind a balancer: a program for each connection has all but the header, and knows its client") {
  const Script script(
      "echo \"$PROTO $TCPLOCALIP:$TCPLOCALPORT $TCPREMOTEIP:$TCPREMOTEPORT $BROOD_PROXY_AUTHORITY "
      "$BROOD_LISTENER\"\n"
      "exec cat");
  auto arguments = runs(script.path(), "connection", behind_balancer({"--start-servers=2"}));
  ServerOptions options = host();
  options.listen = false;
  ServerProcess server(arguments, options);
  Client client = with_header(server, proxy_tcp4(proxy_field(2, "example.org")) + "hello\n");
  CHECK(client.line() == "TCP 198.51.100.1:80 203.0.113.7:4711 example.org front");
  CHECK(client.line() == "hello");
  client.finish_sending();
  CHECK(client.ending() == Ending::closed);
  CHECK(with_header(server, "hello\n").until_end().empty());
}

TEST_CASE("behind a balancer: a program in a child's slot") {
  auto arguments = runs(program_path("brood-test-server"), "slot", behind_balancer({"--start-servers=2"}));
  ServerOptions options = host();
  options.listen = false;
  ServerProcess server(arguments, options);
  CHECK(with_header(server, proxy_line).ask("client") == known);
}

TEST_CASE("proxy where it can't be is a mistake") {
  const auto fails = [](const std::vector<std::string>& arguments, ServerOptions options,
                        const char* message) {
    options.wait_ready = options.listen = false;
    ServerProcess server(arguments, options);
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find(message) != std::string::npos);
  };
  fails(runs("/bin/true", "listeners", behind_balancer()), host(),
        "has proxy, which a program that takes the listeners would have to read itself");
  fails({"--listen=udp:127.0.0.1:0,proxy"}, {.program = "brood-datagram-test-server"},
        "has proxy, which only TCP and unix sockets can have");
  fails({"--listen=timer:1s,proxy"}, {.program = "brood-trigger-test-server"},
        "has proxy, which only TCP and unix sockets can have");
  fails(behind_balancer({"--proxy-from=host"}), {}, "'host' is not a network");
}
