// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// "": no answer.
std::string ask_group(const std::string& address, const std::string& question) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in group{}, own{};
  group.sin_family = own.sin_family = AF_INET;
  const auto colon = address.rfind(':');
  REQUIRE(::inet_pton(AF_INET, address.substr(4, colon - 4).c_str(), &group.sin_addr) == 1);
  group.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  REQUIRE(::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &own.sin_addr, sizeof own.sin_addr) == 0);
  ::sendto(socket.get(), question.data(), question.size(), 0, reinterpret_cast<const sockaddr*>(&group),
           sizeof group);
  pollfd input{.fd = socket.get(), .events = POLLIN, .revents = 0};
  std::array<char, 100> answer{};
  if (::poll(&input, 1, 2000) <= 0) return "";
  const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
  return {answer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

std::vector<std::string> listen_on(const std::string& address) { return {"--listen=" + address}; }

}  // namespace

TEST_CASE("a multicast group is joined at the interface that is named") {
  for (const char* address : {"udp:239.255.71.3:0%lo", "udp:239.255.71.3%lo:0"}) {
    const ServerProcess server(listen_on(address),
                               {.program = "brood-datagram-test-server", .listen = false});
    CHECK(eventually([&] { return ask_group(server.address(), "echo hello") == "hello"; }));
  }
}

TEST_CASE("an interface that is not there or has no group is refused") {
  for (const auto& [address, expected] :
       {std::pair{"udp:239.255.71.3:0%none0", "find interface none0"},
        std::pair{"udp:127.0.0.1:0%lo",
                  "127.0.0.1:0 is no multicast group, and only those can have an interface"},
        std::pair{"udp:239.255.71.3:0%", "names no interface behind the %"}}) {
    ServerProcess server(
        listen_on(address),
        {.program = "brood-datagram-test-server", .listen = false, .log = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK_MESSAGE(server.standard_error().find(expected) != std::string::npos, server.standard_error());
  }
}
