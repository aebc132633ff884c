// SPDX-License-Identifier: MIT
// Which clients come in: allow, deny, max-connections-per-client, client-rate, refusal.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "asker.hpp"
#include "commanded.hpp"
#include "models.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;
using namespace std::chrono_literals;

namespace {

enum class Way { served, refused, nothing };

// A client that comes from an address of its own.
class From {
 public:
  From(const std::string& source, const ServerProcess& server)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    const std::string& address = server.address();
    REQUIRE(::inet_pton(AF_INET, source.c_str(), &from.sin_addr) == 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }

  // What comes within the test's patience: a line, or "" for the end.
  std::string line() {
    std::string all;
    pollfd input{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    for (char byte = 0; ::poll(&input, 1, 20'000) > 0 && ::recv(socket_.get(), &byte, 1, 0) == 1;) {
      if (byte == '\n') return all;
      all += byte;
    }
    return all;
  }
  std::string ask(const std::string& question) {
    const std::string whole = question + "\n";
    ::send(socket_.get(), whole.data(), whole.size(), MSG_NOSIGNAL);
    return line();
  }
  // Without a word: a refused client gets its line, or the end, at once.
  Way way() { return ask("echo in") == "in" ? Way::served : Way::refused; }

 private:
  Descriptor socket_;
};

std::uint64_t refused(const ServiceSnapshot& service, RefusedBy by) {
  return service.refused.at(static_cast<std::size_t>(by));
}

}  // namespace

TEST_CASE("a client that a rule denies gets the refusal and no handler") {
  std::vector<std::string> arguments = {"--deny=127.0.0.2", "--refusal=421 not you\\r\\n"};
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  CHECK(From("127.0.0.1", server).way() == Way::served);
  for (int i = 0; i < 3; ++i) {
    From client("127.0.0.2", server);
    CHECK(client.line() == "421 not you\r");
    CHECK(client.line().empty());
  }
  CHECK(From("127.0.0.1", server).way() == Way::served);
  CHECK(server.reaches([](const auto& service) {
    return refused(service, RefusedBy::rule) == 3 && service.total.accepted == 2 &&
           service.total.finished == 2;
  }));
  CHECK(server.wait_for_log(" is refused: deny = 127.0.0.2"));
}

TEST_CASE("if there is an allow, whom no rule allows is refused") {
  const ServerProcess server({"--allow=127.0.0.3", "--allow=10.0.0.0/8"});
  CHECK(From("127.0.0.3", server).way() == Way::served);
  CHECK(From("127.0.0.1", server).way() == Way::refused);
  CHECK(server.wait_for_log(" is refused: no rule of allow matches"));
}

TEST_CASE("rules apply in the order of the file, and a reload applies new ones") {
  const TemporaryDirectory place;
  const std::string file = place / "rules.conf";
  write_file(file, "deny = 127.0.0.2\nallow = 127.0.0.0/8\ndeny = all\n");
  const ServerProcess server({"--config=" + file});
  CHECK(From("127.0.0.2", server).way() == Way::refused);
  CHECK(From("127.0.0.3", server).way() == Way::served);
  write_file(file, "allow = 127.0.0.0/8\ndeny = 127.0.0.2\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return From("127.0.0.2", server).way() == Way::served; }));
}

TEST_CASE("a client has as many connections as it may have and a killed child has none") {
  std::vector<std::string> arguments = pool(4);
  arguments.emplace_back("--max-connections-per-client=3");
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  std::vector<From> clients;
  const auto join = [&] {
    From client("127.0.0.2", server);
    const bool in = client.way() == Way::served;
    if (in) clients.push_back(std::move(client));
    return in;
  };
  for (int i = 0; i < 3; ++i) CHECK(join());
  CHECK_FALSE(join());
  CHECK(From("127.0.0.1", server).way() == Way::served);
  clients.pop_back();
  CHECK(eventually(join));
  CHECK_FALSE(join());
  CHECK(refused(server.service(), RefusedBy::client_limit) >= 2);

  const auto child = static_cast<pid_t>(std::stol(clients.front().ask("pid")));
  ::kill(child, SIGKILL);
  CHECK(eventually(join));
  CHECK(server.wait_for_log(" is refused: max-connections-per-client = 3"));
}

TEST_CASE("a client that ends its connection can come again at once") {
  auto arguments = pool(4);
  arguments.emplace_back("--max-connections-per-client=1");
  const ServerProcess server(arguments);
  for (int i = 0; i < 200; ++i) {
    From client("127.0.0.1", server);
    REQUIRE(client.ask("bye") == "bye");
    CHECK(client.line().empty());
  }
  CHECK(refused(server.service(), RefusedBy::client_limit) == 0);
}

TEST_CASE("of 500 connections of one address 10 are served, and others are not harmed") {
  auto arguments = pool(20);
  arguments.emplace_back("--max-connections-per-client=10");
  const ServerProcess server(arguments);
  std::vector<From> crowd;
  for (int i = 0; i < 500; ++i) crowd.emplace_back("127.0.0.2", server);
  CHECK(server.reaches([](const auto& service) {
    return service.total.accepted == 10 && refused(service, RefusedBy::client_limit) == 490;
  }));
  for (int i = 0; i < 10; ++i) CHECK(From("127.0.0.1", server).way() == Way::served);
  CHECK(server.count_in_log(" is refused: max-connections-per-client = 10") < 20 * 10 + 20);
}

TEST_CASE("clients of one network are one client") {
  auto arguments = pool(4);
  for (const char* setting : {"--max-connections-per-client=1", "--client-prefix-ipv4=24"})
    arguments.emplace_back(setting);
  const ServerProcess server(arguments);
  From first("127.0.0.2", server);
  CHECK(first.way() == Way::served);
  CHECK(From("127.0.0.3", server).way() == Way::refused);
  CHECK(From("127.0.1.3", server).way() == Way::served);
}

TEST_CASE("a client begins as many connections as its rate permits") {
  std::vector<std::string> arguments = {"--client-rate=1/h", "--client-burst=3", "--refusal=slower\\n"};
  const ServerOptions options = model(arguments);
  const ServerProcess server(arguments, options);
  for (int i = 0; i < 3; ++i) CHECK(From("127.0.0.2", server).way() == Way::served);
  CHECK(From("127.0.0.2", server).line() == "slower");
  CHECK(From("127.0.0.3", server).way() == Way::served);
  CHECK(server.reaches([](const auto& service) { return refused(service, RefusedBy::client_rate) == 1; }));
  CHECK(server.wait_for_log(" is refused: client-rate = 1/h"));
}

TEST_CASE("clients of a unix socket are told apart by their users") {
  const TemporaryDirectory place;
  const std::string address = "unix:" + place / "socket";
  const std::string user = std::to_string(::geteuid());
  const auto is_served = [&](const std::string& rule) {
    const ServerProcess server({"--listen=" + address, rule}, {.listen = false});
    return answers(server.address(), "echo in", "in");
  };
  CHECK(is_served("--allow=uid:" + user));
  CHECK_FALSE(is_served("--deny=uid:" + user));
  CHECK_FALSE(is_served("--allow=uid:12345"));
  CHECK(is_served("--allow=unix"));
  CHECK_FALSE(is_served("--allow=127.0.0.1"));
  if (::geteuid() == 0) CHECK_FALSE(is_served("--deny=user:root"));
}

TEST_CASE("datagrams that a rule denies are dropped") {
  const Answering answering({"--deny=127.0.0.2", "--client-rate=1/h", "--client-burst=2"}, "udp:*:0");
  const std::string port = port_of(answering.server.address());
  const Asker asker("udp:127.0.0.1" + port);
  CHECK(asker.ask("echo one") == "one");
  CHECK(asker.ask("echo two") == "two");
  CHECK(asker.send("echo three"));
  CHECK(answering.server.reaches([](const auto& service) {
    return refused(service, RefusedBy::client_rate) >= 1 && service.total.accepted == 2;
  }));
}

TEST_CASE("children that are programs ask the same rules") {
  std::vector<std::string> more = {"--deny=127.0.0.2", "--max-connections-per-client=2", "--refusal=no\\n"};
  for (const auto& setting : pool(4)) more.push_back(setting);
  const Script lines("while read line; do echo in; done");
  std::string command = program_path("brood-test-server"), gets = "slot";
  SUBCASE("slot") {}
  SUBCASE("connection") {
    command = lines.path();
    gets = "connection";
  }
  const ServerProcess server(runs(command, gets, more), host());
  From first("127.0.0.3", server), second("127.0.0.3", server);
  CHECK(first.way() == Way::served);
  CHECK(second.way() == Way::served);
  CHECK(From("127.0.0.3", server).line() == "no");
  CHECK(From("127.0.0.2", server).line() == "no");
  CHECK(server.reaches([](const auto& service) {
    return refused(service, RefusedBy::client_limit) == 1 && refused(service, RefusedBy::rule) == 1;
  }));
}

TEST_CASE("mistakes in who comes in are named with their lines") {
  const TemporaryDirectory place;
  const std::string file = place / "rules.conf";
  write_file(file,
             "allow = 10.0.0.0/8\ndeny = 10.1.2.3/16\nallow = user:nobody-of-that-name\nrefusal = a\\x\n"
             "client-rate = 5\nclient-burst = 3\n");
  ServerProcess server({"--config=" + file}, {.log = false, .wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  const std::string errors = server.standard_error();
  for (const char* const expected :
       {"rules.conf:2: deny = 10.1.2.3/16 has bits beyond its prefix; did you mean 10.1.0.0/16 or 10.1.2.3?",
        "rules.conf:4: refusal = a\\x has a \\ that is not part of",
        "rules.conf:5: client-rate = 5 is not a number from 1"}) {
    CAPTURE(errors);
    CHECK(errors.find(expected) != std::string::npos);
  }
  write_file(file, "deny = user:nobody-of-that-name\nclient-burst = 3\n");
  ServerProcess other({"--config=" + file}, {.log = false, .wait_ready = false});
  CHECK(other.wait_exit() == exited(78));
  CHECK(other.standard_error().find("rules.conf:1: deny = user:nobody-of-that-name: ") != std::string::npos);
  CHECK(other.standard_error().find("rules.conf:2: client-burst = 3 needs client-rate") != std::string::npos);
}

TEST_CASE("a service that knows no clients refuses rules for them") {
  ServerProcess triggers(
      {"--listen=timer:1h", "--deny=10.0.0.0/8"},
      {.program = "brood-trigger-test-server", .listen = false, .log = false, .wait_ready = false});
  CHECK(triggers.wait_exit() == exited(78));
  CHECK(triggers.standard_error().find("deny has no effect: triggers have no clients") != std::string::npos);
  ServerProcess listeners(runs("/bin/true", "listeners", {"--max-connections-per-client=3"}),
                          {.program = "brood-command-host", .log = false, .wait_ready = false});
  CHECK(listeners.wait_exit() == exited(78));
  CHECK(listeners.standard_error().find("max-connections-per-client has no effect: with command-gets") !=
        std::string::npos);
}
