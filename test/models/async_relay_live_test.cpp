// SPDX-License-Identifier: MIT
// A relay in coroutines: both directions, half-closes, limits, what breaks, and a child that leaves.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "brood/descriptor.hpp"
#include "loopback_listener.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> one_relaying_child(const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = pool(1);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ServerOptions relaying_server() { return {.program = "brood-async-test-server"}; }

std::string long_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

// What the server relays to.
class Backend {
 public:
  Backend() { limit_waits(listener_.socket()); }

  // From then on the client's connection is relayed to this one.
  void take(Client& client) {
    REQUIRE(client.ask("relay " + std::to_string(listener_.port())) == "ready");
    socket_.reset(::accept4(listener_.socket().get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(socket_);
    limit_waits(socket_);
    client.send("go\n");
  }

  void send(std::string_view data) const {
    while (!data.empty()) {
      const ssize_t size = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      data.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  void finish_sending() const { ::shutdown(socket_.get(), SHUT_WR); }
  // Less, if the end comes before.
  std::string receive(std::size_t size) const {
    std::string all(size, '\0');
    const ssize_t got = ::recv(socket_.get(), all.data(), size, MSG_WAITALL);
    all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return all;
  }
  std::string until_end() const {
    std::string all;
    for (std::string some; !(some = receive(65'536)).empty();) all += some;
    return all;
  }
  void close() { socket_.reset(); }
  void abandon() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_.reset();
  }

 private:
  static void limit_waits(const Descriptor& socket) {
    const timeval wait{.tv_sec = patience.count(), .tv_usec = 0};
    for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
      ::setsockopt(socket.get(), SOL_SOCKET, option, &wait, sizeof wait);
  }

  LoopbackListener listener_;
  Descriptor socket_;
};

// Sends until nothing more is taken.
void fill(Client& client) {
  client.limit_waits(300ms);
  try {
    for (;;) client.send(std::string(1'000'000, 'x'));
  } catch (const ClientError&) {  // as it must be
  }
  client.limit_waits(patience);
}

}  // namespace

TEST_CASE("a coroutine relays both directions at once, each end by itself, beside other connections" *
          doctest::test_suite("slow")) {
  ServerProcess server(one_relaying_child(), relaying_server());
  Client client = server.connect(), other = server.connect();
  REQUIRE(client.child() == other.child());
  Backend backend;
  backend.take(client);
  std::string up = long_text(20'000'000), down = "x" + long_text(15'000'000);
  std::string got_up, got_down;
  std::thread reads_up([&] { got_up = backend.until_end(); });
  std::thread reads_down([&] { got_down = client.until_end(); });
  std::thread sends_down([&] { backend.send(down); });
  client.send(up);
  CHECK(other.ask("echo meanwhile") == "meanwhile");
  const std::string last = "sent after the other end";
  SUBCASE("the client ends first") {
    client.finish_sending();
    reads_up.join();
    sends_down.join();
    backend.send(last);
    down += last;
    backend.finish_sending();
    reads_down.join();
  }
  SUBCASE("the other side ends first") {
    sends_down.join();
    backend.finish_sending();
    reads_down.join();
    client.send(last);
    up += last;
    client.finish_sending();
    reads_up.join();
  }
  CHECK((got_up == up));
  CHECK((got_down == down));
  CHECK(other.ask("echo after") == "after");
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  const auto total = server.service().total;
  CHECK(total.failed + total.peers_gone + total.timed_out == 0);
  CHECK(total.bytes_read >= up.size());
  CHECK(total.bytes_written >= down.size());
}

TEST_CASE("what a coroutine has read already is relayed first, and bytes count once") {
  ServerProcess server(one_relaying_child(), relaying_server());
  Client client = server.connect();
  const TemporaryDirectory place;
  const std::string command = "record " + (place / "record");
  REQUIRE(client.ask(command) == "ready");
  const std::string content = long_text(300'000);
  client.send("go\n" + content);
  client.finish_sending();
  CHECK(client.until_end().empty());
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  std::ifstream file(place / "record");
  const std::string recorded((std::istreambuf_iterator<char>(file)), {});
  CHECK((recorded == content));
  const auto total = server.service().total;
  CHECK(total.bytes_read == command.size() + 1 + 3 + content.size());
  CHECK(total.bytes_written == 6);
  CHECK(total.failed == 0);
}

TEST_CASE("an end of a relay that breaks ends the other one, and is no failure") {
  ServerProcess server(one_relaying_child(), relaying_server());
  Client client = server.connect();
  const pid_t child = client.child();
  Backend backend;
  backend.take(client);
  SUBCASE("the client is reset while nothing moves") { client.abandon(); }
  SUBCASE("the client is reset while much is on its way to it") {
    std::thread floods([&] { backend.send(std::string(100'000'000, 'x')); });
    CHECK_FALSE(client.receive_some().empty());
    client.abandon();
    floods.join();
  }
  SUBCASE("the client is reset while the other side takes nothing") {
    fill(client);
    client.abandon();
  }
  SUBCASE("the other side is reset while nothing moves") {
    backend.abandon();
    CHECK(client.ending() != Ending::timed_out);
  }
  SUBCASE("the other side is reset while it takes nothing") {
    fill(client);
    backend.abandon();
    CHECK(client.ending() != Ending::timed_out);
  }
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.total.peers_gone == 1; }));
  backend.until_end();
  CHECK(server.service().total.failed == 0);
  CHECK(server.count_in_log("warning:") == 0);
  CHECK(server.connect().child() == child);
}

// `address`: to listen on.
void relay_until_idle(const std::string& address) {
  ServerOptions options = relaying_server();
  options.listen = false;
  ServerProcess server(one_relaying_child({"--connection-idle-timeout=1s", "--listen=" + address}), options);
  Client client = server.connect();
  const pid_t child = client.child();
  Backend backend;
  backend.take(client);
  SUBCASE("nothing was sent") {}
  SUBCASE("the client has ended") { client.finish_sending(); }
  SUBCASE("the other side has ended") { backend.finish_sending(); }
  SUBCASE("the other side takes nothing") { fill(client); }
  bool may_end_well = false;
  SUBCASE("the other side takes nothing, and the client has gone") {
    fill(client);
    client.close();
    may_end_well = true;  // if the kernel had room for the rest after all
  }
  CHECK(server.reaches([&](const auto& service) {
    return service.total.finished == 1 && (service.total.timed_out == 1 || may_end_well);
  }));
  backend.until_end();  // it comes
  CHECK(server.service().total.failed == 0);
  CHECK(server.connect().child() == child);
}

TEST_CASE("a relay of a coroutine on which nothing moves for connection-idle-timeout is ended") {
  relay_until_idle("127.0.0.1:0");
}

TEST_CASE("a relay of a coroutine to a unix socket on which nothing moves is ended") {
  const TemporaryDirectory place;
  relay_until_idle("unix:" + (place / "socket"));
}

TEST_CASE("a relay of a coroutine that moves is not idle, whichever way it moves") {
  ServerProcess server(one_relaying_child({"--connection-idle-timeout=2s"}), relaying_server());
  Client client = server.connect();
  Backend backend;
  backend.take(client);
  bool up = true;
  SUBCASE("from the client") {}
  SUBCASE("to the client") { up = false; }
  const auto end = std::chrono::steady_clock::now() + 3s;
  while (std::chrono::steady_clock::now() < end) {
    if (up) {
      client.send("x");
      CHECK(backend.receive(1) == "x");
    } else {
      backend.send("x");
      CHECK(client.receive_some() == "x");
    }
    std::this_thread::sleep_for(20ms);
  }
  client.finish_sending();
  backend.finish_sending();
  CHECK(server.reaches([](const auto& service) { return service.total.finished == 1; }));
  CHECK(server.service().total.timed_out == 0);
}

TEST_CASE("a relay of a coroutine is closed at connection-timeout, and costs no child") {
  ServerProcess server(one_relaying_child({"--connection-timeout=1s"}), relaying_server());
  Client client = server.connect();
  const pid_t child = client.child();
  Backend backend;
  backend.take(client);
  std::thread moves;
  SUBCASE("while nothing moves") {}
  SUBCASE("while the client takes nothing") {
    moves = std::thread([&] { backend.send(std::string(100'000'000, 'x')); });
  }
  SUBCASE("while the other side takes nothing") { fill(client); }
  SUBCASE("while it moves") {
    moves = std::thread([&] {
      try {
        for (;;) {
          client.send(std::string(10'000, 'x'));
          if (backend.receive(10'000).empty()) return;
        }
      } catch (const ClientError&) {  // as it must be
      }
    });
  }
  CHECK(server.wait_for_log("beyond connection-timeout; it is closed"));
  CHECK(server.reaches(
      [](const auto& service) { return service.total.timed_out == 1 && service.open_connections == 0; }));
  if (moves.joinable()) moves.join();
  backend.until_end();  // the handler has got the error
  CHECK(server.service().total.finished == 1);
  CHECK(server.connect().child() == child);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a child of coroutines that leaves does not cut a relay") {
  ServerProcess server(one_relaying_child(), relaying_server());
  Client client = server.connect();
  const pid_t child = client.child();
  Backend backend;
  backend.take(client);
  bool stops = false;
  SUBCASE("a reload") {}
  SUBCASE("SIGTERM") { stops = true; }
  server.signal(stops ? SIGTERM : SIGHUP);
  CHECK(server.wait_for_log("child " + std::to_string(child) + " hears that it leaves"));
  // Longer than a connection between two requests may wait then.
  const auto end = std::chrono::steady_clock::now() + 1500ms;
  while (std::chrono::steady_clock::now() < end) {
    client.send("up");
    CHECK(backend.receive(2) == "up");
    std::this_thread::sleep_for(20ms);
  }
  backend.send("down");
  client.finish_sending();
  CHECK(backend.until_end().empty());
  backend.close();
  CHECK(client.until_end() == "down");
  CHECK(eventually([&] { return !is_alive(child); }));
  if (stops) CHECK(server.wait_exit() == exited(0));
}
