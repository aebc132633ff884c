// SPDX-License-Identifier: MIT
// A server of datagrams with what its tests need: clients that ask one thing, or without end.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "server_process.hpp"

namespace brood::test {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "udp:127.0.0.1:80", "udp:[::1]:80", "unix-datagram:/path".
inline Address parse(const std::string& written) {
  Address address;
  if (written.starts_with("unix-datagram:")) {
    auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage);
    unix_address.sun_family = AF_UNIX;
    written.copy(unix_address.sun_path, sizeof unix_address.sun_path - 1, 14);
    address.size = sizeof unix_address;
    return address;
  }
  const auto port = htons(static_cast<in_port_t>(std::stoi(written.substr(written.rfind(':') + 1))));
  if (written[4] == '[') {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = port;
    REQUIRE(::inet_pton(AF_INET6, written.substr(5, written.find(']') - 5).c_str(), &ipv6.sin6_addr) == 1);
    address.size = sizeof ipv6;
  } else {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = port;
    REQUIRE(::inet_pton(AF_INET, written.substr(4, written.rfind(':') - 4).c_str(), &ipv4.sin_addr) == 1);
    address.size = sizeof ipv4;
  }
  return address;
}

// A client that is connected to one address: an answer from elsewhere never reaches it.
class Asker {
 public:
  // `own`: the path of its own unix socket, or "" for none.
  explicit Asker(const std::string& server, const std::string& own = "") {
    const Address address = parse(server);
    socket_.reset(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!own.empty()) {
      const Address ours = parse("unix-datagram:" + own);
      REQUIRE(::bind(socket_.get(), ours.get(), ours.size) == 0);
    }
    REQUIRE(::connect(socket_.get(), address.get(), address.size) == 0);
  }
  bool send(const std::string& text) const {
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // "(nothing)" where no answer comes.
  std::string receive() const {
    pollfd input{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const auto limit = static_cast<int>(std::chrono::milliseconds(patience).count());
    if (::poll(&input, 1, limit) <= 0) return "(nothing)";
    std::string answer(70'000, '\0');
    const ssize_t size = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (size < 0) return "(error)";
    answer.resize(static_cast<std::size_t>(size));
    return answer;
  }
  std::string ask(const std::string& text) const { return send(text) ? receive() : "(not sent)"; }

 private:
  Descriptor socket_;
};

inline ServerOptions datagram_test_server() {
  return {.program = "brood-datagram-test-server", .listen = false};
}

struct Answering {
  explicit Answering(std::vector<std::string> arguments = {}, const std::string& listen = "udp:127.0.0.1:0")
      : server(with(std::move(arguments), listen), datagram_test_server()) {}
  static std::vector<std::string> with(std::vector<std::string> arguments, const std::string& listen) {
    arguments.push_back("--listen=" + listen);
    return arguments;
  }
  Asker asker() const { return Asker(server.address()); }
  void open_gate() const { std::ofstream(gate()) << "open"; }
  std::string gate() const { return server.directory() / "gate"; }
  ServerProcess server;
};

// Clients that ask one thing after the other, and count what was not answered.
class Askers {
 public:
  Askers(const std::string& address, unsigned number) {
    for (unsigned i = 0; i < number; ++i)
      threads_.emplace_back([this, address] {
        const Asker asker(address);
        for (unsigned n = 0; !stopping_; ++n) {
          const std::string text = std::to_string(n);
          ++(asker.ask("echo " + text) == text ? answered_ : wrong_);
        }
      });
  }
  ~Askers() { stop(); }
  Askers(const Askers&) = delete;
  Askers& operator=(const Askers&) = delete;
  bool more_answers(unsigned number) const {
    const unsigned until = answered_ + number;
    return eventually([&] { return answered_ >= until; });
  }
  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  unsigned answered() const { return answered_; }
  unsigned wrong() const { return wrong_; }

 private:
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> answered_ = 0, wrong_ = 0;
  std::vector<std::thread> threads_;
};

inline std::string port_of(const std::string& address) { return address.substr(address.rfind(':')); }

inline bool has_ipv6() {
  const Descriptor probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Address loopback = parse("udp:[::1]:0");
  return probe && ::bind(probe.get(), loopback.get(), loopback.size) == 0;
}

}  // namespace brood::test
