// SPDX-License-Identifier: MIT
// The datagram model: each datagram is answered, from the address that was asked.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "asker.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("each datagram is answered, and the handler knows peer, listener and address") {
  const Answering answering({}, "udp:127.0.0.1:0,name=first");
  const Asker asker = answering.asker();
  CHECK(asker.ask("echo hello") == "hello");
  CHECK(asker.ask("listener") == "first");
  CHECK("udp:" + asker.ask("local") == answering.server.address());
  CHECK(asker.ask("peer").starts_with("127.0.0.1:"));
  CHECK(asker.ask("") == "empty");
  const std::string large(60'000, 'x');
  CHECK(asker.ask("size " + large) == "60005");
  CHECK(asker.ask("echo " + large.substr(0, 990)) == large.substr(0, 990));
  CHECK(answering.server.reaches([](const auto& service) { return service.total.finished == 7; }));
  CHECK(answering.server.service().total.bytes_read > 61'000);
}

TEST_CASE("an answer comes from the address that was asked, also with a listener for all of them") {
  const Answering answering({}, "udp:*:0");
  const std::string port = port_of(answering.server.address());
  for (const std::string host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"})
    CHECK(Asker("udp:" + host + port).ask("local") == host + port);
  if (has_ipv6()) CHECK(Asker("udp:[::1]" + port).ask("local") == "[::1]" + port);
}

TEST_CASE("several clients at once are all answered, by one listener and by several") {
  for (const std::string second : {"", "--listen=udp:127.0.0.2:0"}) {
    const Answering answering(second.empty() ? std::vector<std::string>() : std::vector{second});
    const std::string& other = answering.server.addresses().back();
    Askers some(answering.server.address(), 4), more(other, 4);
    CHECK(some.more_answers(1000));
    CHECK(more.more_answers(1000));
    some.stop();
    more.stop();
    CHECK(some.wrong() + more.wrong() == 0);
    CHECK(answering.server.reaches(
        [&](const auto& service) { return service.total.finished == some.answered() + more.answered(); }));
    CHECK(answering.server.service().total.accepted == some.answered() + more.answered());
  }
}

TEST_CASE("children are started while handlers are busy") {
  const Answering answering(
      {"--start-servers=2", "--min-spare-servers=2", "--max-spare-servers=4", "--max-clients=20"});
  std::vector<Asker> askers;
  for (int i = 0; i < 12; ++i) {
    askers.push_back(answering.asker());
    REQUIRE(askers.back().send("wait " + answering.gate()));
  }
  CHECK(
      answering.server.reaches([](const auto& service) { return service.busy == 12 && service.idle >= 2; }));
  CHECK(answering.asker().ask("echo still here") == "still here");
  answering.open_gate();
  for (const auto& asker : askers) CHECK(asker.receive() == "waited");
}

TEST_CASE("reloads under load lose no datagram") {
  const Answering answering({"--start-servers=4", "--min-spare-servers=2", "--max-clients=16"});
  Askers askers(answering.server.address(), 6);
  for (unsigned i = 2; i <= 5; ++i) {
    CHECK(askers.more_answers(200));
    answering.server.signal(SIGHUP);
    CHECK(answering.server.reaches([&](const auto& service) {
      return std::all_of(service.slots.begin(), service.slots.end(), [&](const auto& slot) {
        return slot.state == SlotState::empty || slot.generation == i;
      });
    }));
  }
  askers.stop();
  CHECK(askers.wrong() == 0);
  CHECK(answering.server.service().children_failed == 0);
}

TEST_CASE("children are replaced at their cap, and no datagram is lost") {
  const Answering answering({"--start-servers=3", "--min-spare-servers=2", "--max-requests-per-child=20"});
  Askers askers(answering.server.address(), 4);
  CHECK(answering.server.reaches([](const auto& service) { return service.children_gone >= 10; }));
  askers.stop();
  CHECK(askers.wrong() == 0);
  CHECK(answering.server.service().children_failed == 0);
}

TEST_CASE("SIGTERM lets what is in the queue be answered") {
  for (const std::string listen : {"udp:127.0.0.1:0", "unix"}) {
    CAPTURE(listen);
    const TemporaryDirectory place;
    const bool over_unix = listen == "unix";
    Answering answering(pool(2), over_unix ? "unix-datagram:" + (place / "server") : listen);
    const Asker asker(answering.server.address(), over_unix ? place / "client" : "");
    // A unix socket's queue is short.
    constexpr int number = 10;
    for (int i = 0; i < number; ++i) REQUIRE(asker.send("hold 20"));
    answering.server.signal(SIGTERM);
    for (int i = 0; i < number; ++i) CHECK(asker.receive() == "held");
    CHECK(answering.server.wait_exit() == exited(0));
    CHECK(answering.server.log().find("unserved") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(place / "server"));
  }
}

TEST_CASE("datagrams that are left in the queue at the end are logged") {
  Answering answering({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1",
                       "--max-clients=1", "--graceful-timeout=300ms"});
  const Asker asker = answering.asker();
  REQUIRE(asker.send("spin"));
  REQUIRE(answering.server.reaches([](const auto& service) { return service.busy == 1; }));
  REQUIRE(asker.send("echo never"));
  answering.server.signal(SIGTERM);
  CHECK(answering.server.wait_exit().has_value());
  CHECK(answering.server.count_in_log(": closed with something unserved in its queue") == 1);
}

TEST_CASE("a burst waits in the queue while all children are busy") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root, or the kernel's limit is too low");
    return;
  }
  Answering answering(
      {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1", "--max-clients=1"});
  const Asker busy = answering.asker(), asker = answering.asker();
  REQUIRE(busy.send("wait " + answering.gate()));
  REQUIRE(answering.server.reaches([](const auto& service) { return service.busy == 1; }));
  constexpr unsigned number = 2000;
  for (unsigned i = 0; i < number; ++i) REQUIRE(asker.send("ignore " + std::string(500, 'x')));
  answering.open_gate();
  CHECK(answering.server.reaches([](const auto& service) { return service.total.finished == number + 1; }));
}

TEST_CASE("a client with a unix socket of its own is answered, and one without a name is recognised") {
  const TemporaryDirectory place;
  const std::string path = place / "server";
  auto arguments = pool(1);
  arguments.emplace_back("--log-level=debug");
  const Answering answering(arguments, "unix-datagram:" + path + ",mode=0640,name=local");
  CHECK(answering.server.address() == "unix-datagram:" + path);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        std::filesystem::perms(0640));
  const Asker asker(answering.server.address(), place / "client");
  CHECK(asker.ask("echo hello") == "hello");
  CHECK(asker.ask("peer") == "unix:" + (place / "client"));
  CHECK(asker.ask("local") == "unix:" + path);
  CHECK(asker.ask("listener") == "local");
  CHECK(asker.ask("") == "empty");
  // No address to answer to: an exception, and nothing else.
  CHECK(Asker(answering.server.address()).send("echo hello"));
  CHECK(answering.server.wait_for_log("datagram from unix ended by an exception: reply to unix"));
  {
    const Asker gone(answering.server.address(), place / "gone");
    REQUIRE(gone.send("wait " + answering.gate()));
    REQUIRE(answering.server.reaches([](const auto& service) { return service.busy == 1; }));
  }
  answering.open_gate();
  CHECK(answering.server.wait_for_log("reply to unix:" + (place / "gone")));
  CHECK(answering.server.reaches([](const auto& service) { return service.total.peers_gone == 2; }));
  CHECK(answering.server.service().total.failed == 0);
  CHECK(asker.ask("echo hello") == "hello");
  CHECK(answering.server.service().children_gone == 0);
}

TEST_CASE("a datagram beyond 64 KiB is counted as failed, and never handled in part") {
  const TemporaryDirectory place;
  const Answering answering(pool(1), "unix-datagram:" + (place / "server"));
  const Asker asker(answering.server.address(), place / "client");
  REQUIRE(asker.send("echo " + std::string(65'532, 'x')));
  CHECK(answering.server.wait_for_log("it has 65537 bytes, more than the 65536 that are accepted"));
  CHECK(asker.ask("size" + std::string(65'532, ' ')) == "65536");
  CHECK(answering.server.reaches(
      [](const auto& service) { return service.total.finished == 2 && service.total.failed == 1; }));
}

TEST_CASE("an exception of a datagram handler is counted as failed and logged, and the child goes on") {
  const Answering answering(pool(1));
  const Asker asker = answering.asker();
  const std::string child = asker.ask("pid");
  REQUIRE(asker.send("throw something is wrong"));
  CHECK(asker.ask("pid") == child);
  CHECK(answering.server.wait_for_log("ended by an exception: something is wrong"));
  CHECK(answering.server.reaches([](const auto& service) { return service.total.failed == 1; }));
}

TEST_CASE("a handler that hangs is ended by connection-timeout, and the log names peer and note") {
  auto arguments = pool(2);
  arguments.emplace_back("--connection-timeout=1s");
  const Answering answering(arguments);
  const Asker asker = answering.asker();
  const std::string peer = asker.ask("peer");
  REQUIRE(asker.send("spin"));
  CHECK(answering.server.wait_for_log("while serving " + peer + " 'spin'"));
  CHECK(answering.server.reaches([](const auto& service) { return service.connection_timeouts == 1; }));
  CHECK(asker.ask("echo hello") == "hello");
}

TEST_CASE("children that are killed lose no datagram but their own") {
  const Answering answering({"--start-servers=4", "--min-spare-servers=4"});
  const Asker asker = answering.asker();
  for (int i = 0; i < 20; ++i) {
    const pid_t child = static_cast<pid_t>(std::stol(asker.ask("pid")));
    ::kill(child, SIGKILL);
    CHECK(eventually([&] { return !is_alive(child); }));
  }
  CHECK(asker.ask("echo hello") == "hello");
}

TEST_CASE("a reload takes a listener away and leaves the others, and children don't spin over it") {
  const TemporaryDirectory place;
  const std::string config = place / "conf";
  const std::string path = place / "going";
  write_file(config,
             "listen = udp:127.0.0.1:0\nlisten = udp:127.0.0.2:0\nlisten = unix-datagram:" + path + "\n");
  ServerProcess server({"--config=" + config}, datagram_test_server());
  const auto addresses = server.addresses();
  const Asker staying(addresses.at(0));
  // A busy child of the old generation keeps its descriptors for as long as it is busy.
  REQUIRE(staying.send("wait " + (place / "gate")));
  REQUIRE(server.reaches([](const auto& service) { return service.busy == 1; }));
  write_file(config, "listen = udp:127.0.0.1:0\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("listener " + addresses.at(1) + " is drained and closed"));
  CHECK(server.wait_for_log("listener " + addresses.at(2) + " is drained and closed"));
  CHECK(eventually([&] { return !std::filesystem::exists(path); }));
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 5; }));
  const Asker other(addresses.at(0));
  for (int i = 0; i < 20; ++i) CHECK(other.ask("echo hello") == "hello");
  std::ofstream(place / "gate") << "open";
  CHECK(staying.receive() == "waited");
  CHECK(server.reaches([](const auto& service) {
    return std::all_of(service.slots.begin(), service.slots.end(), [](const auto& slot) {
      return slot.state == SlotState::empty || slot.generation == 2;
    });
  }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("when the parent is killed its children leave, and the next server can have the port") {
  ServerProcess first({"--listen=udp:127.0.0.1:0", "--listen=udp:127.0.0.2:0"}, datagram_test_server());
  const std::string address = first.address();
  CHECK(Asker(address).ask("echo hello") == "hello");
  const auto children = first.children();
  first.signal(SIGKILL);
  CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), is_alive); }));
  ServerProcess second({"--listen=" + address}, datagram_test_server());
  CHECK(Asker(address).ask("echo hello") == "hello");
}

TEST_CASE("an inherited socket is served if it is of the right kind, and refused if not") {
  const auto inherit = [](int type) {
    Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    Address address = parse("udp:127.0.0.1:0");
    REQUIRE(::bind(socket.get(), address.get(), address.size) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket.get(), 16) == 0);
    return socket;
  };
  const auto options = [](const std::string& program, const Descriptor& socket, bool ready) {
    return ServerOptions{
        .program = program, .listen = false, .wait_ready = ready, .in_process = [fd = socket.get()] {
          ::dup2(fd, 9);
        }};
  };
  const Descriptor datagrams = inherit(SOCK_DGRAM), connections = inherit(SOCK_STREAM);
  {
    ServerProcess server({"--listen=fd:9"}, options("brood-datagram-test-server", datagrams, true));
    CHECK(Asker(server.address()).ask("echo hello") == "hello");
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
  }
  ServerProcess stream({"--listen=fd:9"}, options("brood-test-server", datagrams, false));
  CHECK(stream.wait_exit() == exited(78));
  CHECK(stream.standard_error().find("listen = fd:9 brings datagrams; this server takes connections") !=
        std::string::npos);
  ServerProcess datagram({"--listen=fd:9"}, options("brood-datagram-test-server", connections, false));
  CHECK(datagram.wait_exit() == exited(78));
  CHECK(datagram.standard_error().find("listen = fd:9 brings connections; this server takes datagrams") !=
        std::string::npos);
}

TEST_CASE("a child that serves datagrams stops itself, and lives on without its slot") {
  const Answering answering({"--start-servers=1", "--min-spare-servers=1"});
  const ServerProcess& server = answering.server;
  const Asker asker = answering.asker();
  CHECK(asker.ask("stop") == "stopping");
  CHECK(server.reaches(
      [](const auto& service) { return service.children_gone == 1 && service.children_failed == 0; }));
  CHECK(is_alive(static_cast<pid_t>(std::stol(asker.ask("pid")))));
  const Asker patient = answering.asker();
  REQUIRE(patient.send("detach " + answering.gate()));
  // Whoever has no slot is the one: all others have theirs.
  std::vector<pid_t> without_slot;
  REQUIRE(server.reaches([&](const auto& service) {
    without_slot = server.children();
    std::erase_if(without_slot, [&](pid_t child) {
      return std::ranges::any_of(service.slots, [child](const auto& slot) { return slot.pid == child; });
    });
    return service.detached == 1 && service.idle >= 1 && without_slot.size() == 1;
  }));
  for (int i = 0; i < 20; ++i) CHECK(asker.ask("pid") != std::to_string(without_slot.front()));
  answering.open_gate();
  CHECK(patient.receive() == "waited");
  CHECK(server.reaches([](const auto& now) { return now.detached == 0 && now.children_failed == 0; }));
}
