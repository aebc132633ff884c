// SPDX-License-Identifier: MIT
// example/chat: what one client says reaches the others of the same child.
#include <doctest/doctest.h>

#include <csignal>
#include <vector>

#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const ServerOptions chat{.program = "chat"};

Client member(const ServerProcess& server, const std::string& name) {
  Client client = server.connect();
  CHECK(client.line() == "Your name?");
  client.send(name + "\n");
  return client;
}

}  // namespace

TEST_CASE("in a chat each one hears what the others say, in order, and nobody hears who has left") {
  ServerProcess server({}, chat);
  std::vector<Client> members;
  for (int i = 0; i < 20; ++i) members.push_back(member(server, std::to_string(i)));
  members[0].send("hello\nand again\n");
  for (std::size_t i = 1; i < members.size(); ++i) {
    CHECK(members[i].line() == "0: hello");
    CHECK(members[i].line() == "0: and again");
  }
  members.erase(members.begin() + 10, members.end());
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 10; }));
  members[9].send("who is here?\n");
  for (std::size_t i = 0; i < 9; ++i) CHECK(members[i].line() == "9: who is here?");
  for (std::size_t i = 0; i < 9; ++i) {
    members[i].send("I am\n");
    CHECK(members[9].line() == std::to_string(i) + ": I am");
    for (std::size_t j = 0; j < 9; ++j)
      if (j != i) CHECK(members[j].line() == std::to_string(i) + ": I am");
  }
  CHECK(server.service().children_started == 1);
  CHECK(server.service().total.failed == 0);
}

TEST_CASE("a member of a chat that takes no output is sent away, and the others go on") {
  ServerProcess server({}, chat);
  Client deaf = member(server, "deaf");
  Client talker = member(server, "talker");
  Client listener = member(server, "listener");
  const std::string line(8000, 'x');
  unsigned said = 0;
  while (said < 5000 && server.service().total.timed_out == 0) {
    talker.send(line + "\n");
    REQUIRE(listener.line() == "talker: " + line);
    ++said;
  }
  CHECK(server.service().total.timed_out == 1);
  talker.send("is it gone?\n");
  CHECK(listener.line() == "talker: is it gone?");
  CHECK(server.service().children_started == 1);
}

TEST_CASE("a member of a chat that says nothing is sent away") {
  ServerProcess server({"--patience=50ms"}, chat);
  Client silent = server.connect();
  CHECK(silent.line() == "Your name?");
  CHECK(silent.line() == "Good bye.");
  CHECK(silent.ending() == Ending::closed);
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.total.failed == 0; }));
}
