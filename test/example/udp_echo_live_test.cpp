// SPDX-License-Identifier: MIT
// example/udp_echo and datagrams whose source is forged.
#include "asker.hpp"

using namespace brood;
using namespace brood::test;

namespace {

Descriptor udp_socket(in_port_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address = parse("udp:127.0.0.1:" + std::to_string(port));
  if (::bind(socket.get(), address.get(), address.size) != 0) socket.reset();
  return socket;
}

std::string address_of(const Descriptor& socket) {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &size) == 0);
  return "udp:127.0.0.1:" + std::to_string(ntohs(local.sin_port));
}

void send(const Descriptor& from, const std::string& text, const std::string& to) {
  const auto address = parse(to);
  CHECK(::sendto(from.get(), text.data(), text.size(), 0, address.get(), address.size) ==
        static_cast<ssize_t>(text.size()));
}

// Inherits its socket, so that a test can send from its address. One child takes the datagrams in their
// order.
struct Echo {
  Descriptor socket = udp_socket(0);
  std::string address = address_of(socket);
  ServerProcess server{
      {"--listen=fd:9", "--start-servers=1", "--min-spare-servers=0", "--max-clients=1"},
      {.program = "udp_echo", .listen = false, .in_process = [fd = socket.get()] { ::dup2(fd, 9); }}};

  // Each question waits behind what came before. A loop would put one more between two of them.
  bool gets_only(unsigned datagrams) {
    constexpr unsigned questions = 10;
    const Asker asker(address);
    for (unsigned i = 0; i < questions; ++i) CHECK(asker.ask("question") == "echo: question");
    return server.reaches(
        [&](const auto& service) { return service.total.finished == datagrams + questions; });
  }
};

}  // namespace

TEST_CASE("a datagram is echoed, and an echo is not") {
  Echo echo;
  const Asker asker(echo.address);
  CHECK(asker.ask("hello") == "echo: hello");
  CHECK(asker.ask("") == "echo: ");
  CHECK(asker.send("echo: hello"));  // as a plain echo server would
  CHECK(asker.ask("again") == "echo: again");
  CHECK(echo.gets_only(4));
}

TEST_CASE("whose source is forged to be itself gets one answer, which nobody answers") {
  Echo echo;
  send(echo.socket, "forged", echo.address);
  CHECK(echo.gets_only(2));
}

TEST_CASE("whose source is forged to be another one makes the two not talk without end") {
  Echo one, other;
  send(other.socket, "forged", one.address);
  CHECK(other.server.reaches([](const auto& service) { return service.total.finished >= 1; }));
  CHECK(one.gets_only(1));
  CHECK(other.gets_only(1));
}

TEST_CASE("a port below 1024 gets no answer") {
  Descriptor low;
  for (in_port_t port = 1023; !low && port > 900; --port) low = udp_socket(port);
  if (!low) {
    MESSAGE("skipped: no port below 1024 may be bound here");
    return;
  }
  Echo echo;
  send(low, "hello", echo.address);
  CHECK(echo.gets_only(1));
  char byte = 0;
  CHECK(::recv(low.get(), &byte, 1, MSG_DONTWAIT) == -1);
  CHECK(errno == EAGAIN);
}
