// SPDX-License-Identifier: MIT
// One protocol over the child models for connections: the same names and rules in blocking code, in an event
// loop and in coroutines.
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server_process.hpp"

using namespace std::string_literals;
using namespace brood;
using namespace brood::test;

namespace {

struct Row {
  std::string input, output;
};

const std::vector<Row> rows = {
    {"lines\n", "."},
    {"lines\none\r\ntwo\n\nthree", "[one][two][][three]."},
    {"lines\n12345678\r\n123456789\r\nx\n" + std::string(50'000, 'y') + "\nz\n", "[12345678]![x]![z]."},
    {"lines\n123456789", "!."},
    {"lines\na\nbye\nmore\n", "[a][bye]"},
    {"until\na;;12345678;;;;", "[a][12345678][]."},
    {"until\n123456789;;x;;1234567890;1;;y;;", "![x]![y]."},
    {"until\na;;b", "[a]"},  // cut off
    {"exact\nabc\0\n;abcd"s, "[abc][\0\n;][abc]"s},
    {"exact\nabcdef", "[abc][def]."},
    {"frames\n\0\0\0\1a\0\10"
     "12345678\0\11"
     "123456789\0\1b"s,
     "[][a][12345678]![b]."},
    {"frames\n\xff\xff"s + std::string(65'535, '\n') + "\0\2ok"s, "![ok]."},
    {"frames\n\0\1a\0\2b"s, "[a]"},
    {"mixed\nline\nuntil;;exa\0\5frame\r\n;;xyz\0\0"s, "[line][until][exa][frame][][][xyz][]."},
    {"who\n", ""},
};

std::string exchange(Client client, const std::string& input, bool at_once) {
  if (at_once)
    client.send(input);
  else
    for (const char byte : input) client.send({&byte, 1});
  client.finish_sending();
  return client.until_end();
}

std::string program() {
  std::string program;
  SUBCASE("blocking") { program = "brood-protocol-test-server"; }
  SUBCASE("event loop") { program = "brood-protocol-event-test-server"; }
  SUBCASE("coroutines") { program = "brood-protocol-async-test-server"; }
  return program;
}

}  // namespace

TEST_CASE("one protocol gets the same answers in every model") {
  ServerProcess server(pool(1), {.program = program()});
  for (const auto& [input, output] : rows)
    for (const bool at_once : {true, false}) {
      if (!at_once && input.size() > 1000) continue;
      CAPTURE(input);
      CAPTURE(at_once);
      const std::string answer = exchange(server.connect(), input, at_once);
      if (input == "who\n")
        CHECK(answer.starts_with("127.0.0.1:"));
      else
        CHECK(answer == output);
    }
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  const auto total = server.service().total;
  CHECK(total.failed == 0);
  CHECK(total.peers_gone == 6);  // those that ended within a piece
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("one protocol gets the same answers through a relay in every model") {
  const ServerProcess behind(pool(1), {.program = "brood-protocol-test-server"});
  ServerProcess server(pool(1), {.program = program()});
  const std::string port = behind.address().substr(behind.address().rfind(':') + 1);
  for (const auto& [input, output] : rows)
    for (const bool at_once : {true, false}) {
      if (output.empty() || (!at_once && input.size() > 1000)) continue;
      CAPTURE(input);
      CAPTURE(at_once);
      CHECK(exchange(server.connect(), "relay " + port + "\n" + input, at_once) == output);
    }
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  const auto total = server.service().total;
  CHECK(total.failed + total.peers_gone == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("after the server's half has ended it still reads, in every model") {
  ServerProcess server(pool(1), {.program = program()});
  Client client = server.connect();
  client.send("lines\nbye\n");
  CHECK(client.until_end() == "[bye]");
  client.send("more\n");
  client.finish_sending();
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.service().total.bytes_read == 6 + 4 + 5);
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("a deadline that the handler sets ends the connection in every model, without connection-timeout") {
  ServerProcess server(pool(1), {.program = program()});
  Client client = server.connect();
  client.send("deadline\n");
  CHECK(client.ending() == Ending::closed);
  CHECK(server.reaches([](const auto& service) { return service.total.timed_out == 1; }));
  CHECK(server.wait_for_log("deadline"));
  CHECK(server.count_in_log("connection-timeout") == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("the process behind a unix socket is known in every model") {
  const TemporaryDirectory place;
  auto arguments = pool(1);
  arguments.push_back("--listen=unix:" + (place / "socket"));
  ServerProcess server(arguments, {.program = program(), .listen = false});
  CHECK(exchange(server.connect(), "who\n", true) == "unix " + std::to_string(::getpid()) + ".");
}

TEST_CASE("an algorithm of Boost.Asio gets what was read already, and nothing that was skipped") {
  ServerProcess server(pool(1), {.program = "brood-protocol-async-test-server"});
  for (const bool at_once : {true, false}) {
    CHECK(exchange(server.connect(), "asio\none\ntwo\n", at_once) == "[one][two]");
    CHECK(exchange(server.connect(), "skip-asio\n123456789 and more\none\ntwo\n", at_once) == "[one][two]");
  }
  CHECK(exchange(server.connect(), "skip-asio\n123456789 and more", true).empty());
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 5; }));
  CHECK(server.service().total.failed == 0);
  CHECK(server.service().children_gone == 0);
}

TEST_CASE("a line that is too long is the peer's mistake: no failure, and no more than some lines at info") {
  constexpr unsigned connections = 50;
  const ServerProcess server(pool(1), {.program = program()});
  for (unsigned i = 0; i < connections; ++i) {
    Client client = server.connect();
    client.send(std::string(20'000, 'x'));
    CHECK(client.ending() == Ending::closed);
  }
  CHECK(server.reaches([](const auto& service) { return service.total.finished == connections; }));
  const ServiceSnapshot service = server.service();
  const auto& total = service.total;
  CHECK(total.failed + total.peers_gone + total.timed_out + total.probes + total.aborted == 0);
  CHECK(service.children_gone == 0);
  CHECK(server.wait_for_log(" info: connection from "));
  CHECK(server.count_in_log("is longer than") <= connections / 2);
  CHECK(server.count_in_log(" warning: connection from ") == 0);
}
