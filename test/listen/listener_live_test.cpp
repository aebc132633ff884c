// SPDX-License-Identifier: MIT
// Where connections arrive: several listeners, IPv6, unix sockets, inherited descriptors.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>

#include "brood/descriptor.hpp"
#include "inherited.hpp"
#include "load.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool has_ipv6() {
  const Descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return probe && ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

TEST_CASE("a listener that a handler shuts down for all processes is opened again") {
  std::vector<std::string> arguments;
  SUBCASE("one") {}
  SUBCASE("one of two") { arguments.emplace_back("--listen=127.0.0.1:0"); }
  ServerProcess server(arguments);
  for (unsigned i = 1; i <= 2; ++i) {
    CHECK(server.connect().ask("end-listeners") == "ended");
    for (const auto& address : server.addresses())
      CHECK(eventually([&] { return answers(address, "echo again", "again"); }));
  }
  CHECK(server.count_in_log("was ended by a process that shares it; it was opened again") >= 2);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("every child serves every listener") {
  const TemporaryDirectory place;
  const std::string path = "unix:" + (place / "socket");
  std::vector<std::string> arguments = {"--listen=127.0.0.1:0,name=first",
                                        "--listen=127.0.0.2:0,name=second",
                                        "--listen=" + path + ",name=third",
                                        "--start-servers=3",
                                        "--min-spare-servers=1",
                                        "--max-spare-servers=3",
                                        "--max-clients=3"};
  std::vector<std::string> names = {"first", "second", "third"};
  if (has_ipv6()) {
    arguments.push_back("--listen=[::1]:0,name=fourth");
    names.emplace_back("fourth");
  }
  ServerProcess server(arguments, {.listen = false});
  REQUIRE(server.addresses().size() == names.size());
  for (std::size_t listener = 0; listener < names.size(); ++listener) {
    CAPTURE(names[listener]);
    // Each of the three children has one open connection, so each serves this listener.
    std::set<pid_t> children;
    std::vector<Client> held;
    for (int i = 0; i < 3; ++i) {
      held.emplace_back(server.addresses()[listener]);
      children.insert(held.back().child());
      CHECK(held.back().ask("listener") == names[listener]);
    }
    CHECK(children.size() == 3);
    for (const auto& slot : server.service().slots)
      if (slot.state == SlotState::busy) CHECK(slot.listener == listener);
    held.clear();
    REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  }
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("load on two listeners at once is served on both") {
  ServerProcess server({"--listen=127.0.0.1:0,name=second"});
  Load first(server.addresses().at(0), 4, "echo a", "a"), second(server.addresses().at(1), 4, "echo b", "b");
  CHECK(first.more_answers(500));
  CHECK(second.more_answers(500));
  const auto figures = first.stop(), others = second.stop();
  CHECK(figures.failed() == 0);
  CHECK(others.failed() == 0);
  CHECK(server.reaches(
      [&](const auto& service) { return service.total.finished == figures.answered + others.answered; }));
}

// A system without /etc/hosts does not know the name.
TEST_CASE("a host name with several addresses is listened on at one port") {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) {
    ServerProcess server({"--listen=localhost:0"}, {.listen = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    return;
  }
  ::freeaddrinfo(found);
  ServerProcess server({"--listen=localhost:0"}, {.listen = false});
  std::set<std::string> ports;
  for (const auto& address : server.addresses()) {
    ports.insert(address.substr(address.rfind(':')));
    CHECK(Client(address).ask("echo hello") == "hello");
  }
  CHECK(ports.size() == 1);
}

TEST_CASE("accepted sockets send at once, unless the listener has Nagle's algorithm; a reload changes that") {
  const Inherited inherited;
  ServerOptions options = inherited.options();
  std::string slow = "listen = 127.0.0.1:0,name=a,nagle\nlisten = fd:9,nagle\n";
  std::string fast = "listen = 127.0.0.1:0,name=a\nlisten = fd:9\n";
  const TemporaryDirectory place;
  const auto sends_at_once = [](const ServerProcess& server) {
    std::string all;
    for (const auto& address : server.addresses()) all += Client(address).ask("nodelay");
    return all;
  };
  write_file(place / "conf", fast);
  ServerProcess server({"--config=" + (place / "conf")}, options);
  REQUIRE(server.addresses().size() == 2);
  CHECK(sends_at_once(server) == "11");
  std::uint32_t generation = 1;
  for (const auto& [settings, expected] : {std::pair{slow, "00"}, {fast, "11"}}) {
    write_file(place / "conf", settings);
    server.signal(SIGHUP);
    REQUIRE(server.reaches(settled_at(++generation)));
    CHECK(sends_at_once(server) == expected);
  }
}

TEST_CASE("two listeners at port 0 keep their options apart over reloads") {
  const TemporaryDirectory place;
  ServerProcess* running = nullptr;
  std::uint32_t generation = 0;
  const auto told = [&] {
    std::string all;
    for (const auto& address : running->addresses())
      all += Client(address).ask("listener") + ' ' + Client(address).ask("nodelay") + ' ';
    return all;
  };
  const auto with = [&](const std::string& one, const std::string& other) {
    write_file(place / "conf", "listen = 127.0.0.1:0," + one + "\nlisten = 127.0.0.1:0," + other + "\n");
    if (running == nullptr) return std::string();
    running->signal(SIGHUP);
    REQUIRE(running->reaches(settled_at(++generation)));
    return told();
  };
  with("name=a", "name=b,nagle");
  ServerProcess server({"--config=" + (place / "conf")}, {.listen = false});
  REQUIRE(server.addresses().size() == 2);
  running = &server;
  generation = 1;
  CHECK(told() == "a 1 b 0 ");
  CHECK(with("name=a", "name=b,nagle") == "a 1 b 0 ");
  CHECK(with("name=a,nagle", "name=b,nagle") == "a 0 b 0 ");
  CHECK(with("name=c", "name=d,nagle") == "c 1 d 0 ");
  CHECK(with("name=d,nagle", "name=c") == "c 1 d 0 ");
}

TEST_CASE("a listener that comes back from its drain has its new options") {
  const TemporaryDirectory place;
  const std::string one = "listen = 127.0.0.1:0\n";
  write_file(place / "conf", one + "listen = 127.0.0.2:0\n");
  auto arguments = pool(1);
  arguments.insert(arguments.end(), {"--config=" + (place / "conf"), "--overload-read-timeout=0"});
  ServerProcess server(arguments, {.listen = false});
  const std::string other = server.addresses().at(1);
  Client busy = server.connect();
  CHECK(busy.ask("echo busy") == "busy");
  Client waiting(other);  // in the queue, so that the listener is not closed
  waiting.send("nodelay\n");
  write_file(place / "conf", one);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("is drained and closed"));
  write_file(place / "conf", one + "listen = 127.0.0.2:0,nagle\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("listens on " + other));
  busy.close();
  CHECK(waiting.line() == "1");  // it was there before
  waiting.close();
  CHECK(eventually([&] { return answers(other, "nodelay", "0"); }));
}

TEST_CASE("a listener that is opened again has its options") {
  ServerProcess server({"--listen=127.0.0.1:0,nagle"}, {.listen = false});
  CHECK(server.connect().ask("nodelay") == "0");
  CHECK(server.connect().ask("end-listeners") == "ended");
  CHECK(eventually([&] { return answers(server.address(), "nodelay", "0"); }));
}

TEST_CASE("the name of a listener without a name is its address") {
  ServerProcess server;
  CHECK(server.connect().ask("listener") == server.address());
}

TEST_CASE("a unix socket has the mode of the setting, serves, and is removed at the end") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  ServerProcess server({"--listen=unix:" + path + ",mode=0640"}, {.listen = false});
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  Client client(server.address());
  CHECK(client.ask("peer") == "unix");
  CHECK(client.ask("local") == "unix:" + path);
  client.close();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a unix socket gets the owner of the setting") {
  if (skipped_without_root()) return;
  const TemporaryDirectory place;
  ServerProcess server({"--listen=unix:" + (place / "socket") + ",owner=nobody"}, {.listen = false});
  struct stat status {};
  REQUIRE(::stat((place / "socket").c_str(), &status) == 0);
  CHECK(status.st_uid == 65534);
}

TEST_CASE("a unix socket that a dead server has left is taken over, one of a live server is not") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  const std::vector<std::string> arguments = {"--listen=unix:" + path};
  ServerProcess first(arguments, {.listen = false});
  {
    ServerProcess second(arguments, {.listen = false, .wait_ready = false});
    const auto end = second.wait_exit();
    CHECK(end != exited(0));
    CHECK(second.standard_error().find("another server answers there") != std::string::npos);
  }
  CHECK(Client(first.address()).ask("echo mine") == "mine");
  const auto children = first.children();
  first.signal(SIGKILL);
  CHECK(first.wait_exit());
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
  CHECK(std::filesystem::exists(path));
  ServerProcess third(arguments, {.listen = false});
  CHECK(Client(third.address()).ask("echo hello") == "hello");
}

TEST_CASE("a file that is not a socket is not removed") {
  const TemporaryDirectory place;
  write_file(place / "precious", "do not lose me");
  ServerProcess server({"--listen=unix:" + (place / "precious")}, {.listen = false, .wait_ready = false});
  CHECK(server.wait_exit() != exited(0));
  CHECK(read_file(place / "precious") == "do not lose me");
}

TEST_CASE("an inherited listener is served, and works for the next server that inherits it") {
  const Inherited inherited;
  ServerProcess first({"--listen=fd:9,name=handed-on"}, inherited.options());
  CHECK(first.address() == inherited.address);
  CHECK(first.connect().ask("listener") == "handed-on");
  first.signal(SIGTERM);
  CHECK(first.wait_exit() == exited(0));
  Client between(inherited.address);
  between.send("echo waited\n");
  ServerProcess second({"--listen=fd:9"}, inherited.options());
  CHECK(between.line() == "waited");
}

TEST_CASE("a descriptor that is not a listener is refused") {
  ServerProcess server({"--listen=fd:9"}, {.listen = false, .wait_ready = false, .in_process = [] {
                                             ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 9);
                                           }});
  CHECK(server.wait_exit() == exited(78));
  ServerProcess other({"--listen=fd:99"}, {.listen = false, .wait_ready = false});
  CHECK(other.wait_exit() == exited(78));
}

TEST_CASE("a server that follows another on an inherited listener under load loses no connection") {
  const Inherited inherited;
  Load load(inherited.address, 8);
  auto server =
      std::make_unique<ServerProcess>(std::vector<std::string>{"--listen=fd:9"}, inherited.options());
  for (int round = 0; round < 5; ++round) {
    CHECK(load.more_answers(50));
    auto next =
        std::make_unique<ServerProcess>(std::vector<std::string>{"--listen=fd:9"}, inherited.options());
    server->signal(SIGTERM);
    CHECK(server->wait_exit() == exited(0));
    server = std::move(next);
  }
  CHECK(load.more_answers(50));
  CHECK(load.stop().failed() == 0);
}

TEST_CASE("a listener that another process has made non-blocking is served without losing a connection") {
  const Inherited inherited;
  ServerProcess server({"--listen=fd:9"}, inherited.options());
  CHECK(server.connect().ask("echo hello") == "hello");
  ::fcntl(inherited.socket.get(), F_SETFL, O_NONBLOCK);
  Load load(server.address(), 4);
  CHECK(load.more_answers(200));
  CHECK(load.stop().failed() == 0);
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 5; }));
  CHECK(server.connect().ask("echo hello") == "hello");
}
