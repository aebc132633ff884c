// SPDX-License-Identifier: MIT
// The connection to the server that a request is for, or to the next proxy. It is a Connection like the
// client's: the same functions read and write both. Only the client's is on the scoreboard.
#pragma once

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "message.hpp"

namespace proxy {

class Origin final : private brood::ConnectionHost {
 public:
  // Throws Refusal. The timeout is that of each wait; 0: no limit.
  Origin(const Site& site, std::chrono::milliseconds timeout)
      : timeout_(timeout), connection_(connect(site)) {}
  ~Origin() { connection_.half_close(); }  // then what was not read is not waited for
  brood::Connection& connection() { return connection_; }

  // Of several writes none waits for an acknowledgement of the one before.
  void send_at_once() const {
    const int yes = 1;
    ::setsockopt(connection_.descriptor(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }

  // Waits until the origin or the client sends something. True: it is the origin. Throws Refusal.
  bool speaks_before(const brood::Connection& client) const {
    if (client.bytes_read() > client.bytes_taken()) return false;
    std::array<pollfd, 2> ends{{{.fd = client.descriptor(), .events = POLLIN, .revents = 0},
                                {.fd = connection_.descriptor(), .events = POLLIN, .revents = 0}}};
    const int longest = timeout_.count() == 0 ? -1 : static_cast<int>(timeout_.count());
    int found = -1;
    while (found < 0) found = ::poll(ends.data(), ends.size(), longest);  // again after a signal
    if (found == 0) throw gateway_timeout("neither the client nor the server sends anything");
    return ends[1].revents != 0;
  }

 private:
  void note(brood::ConnectionId, std::string_view) override {}
  bool leaving() const override { return false; }
  bool detached() const override { return false; }
  void extend_deadline(brood::ConnectionId, std::chrono::steady_clock::time_point) override {}

  brood::Connection connect(const Site& site) {
    addrinfo wanted{}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    const std::string port = std::to_string(site.port);
    if (const int error = ::getaddrinfo(site.host.c_str(), port.c_str(), &wanted, &found); error != 0)
      throw bad_gateway("the host " + site.host + " was not found: " + ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    int error = 0;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      brood::Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      error = errno;
      if (!socket) continue;
      sockaddr_storage address{};
      std::memcpy(&address, one->ai_addr, one->ai_addrlen);
      brood::Connection connection(std::move(socket), {.peer = address, .listener = "", .host = *this});
      connection.set_timeouts(timeout_, timeout_);  // on Linux, that of a write is that of connect(), too
      error = connect(connection.descriptor(), *one);
      if (error == 0) return connection;
    }
    const std::string why = "no connection to " + site.text() + ": " + std::generic_category().message(error);
    throw error == ETIMEDOUT ? gateway_timeout(why) : bad_gateway(why);
  }

  // Returns the error, or 0. On Linux it may be called again after a signal.
  static int connect(int socket, const addrinfo& address) {
    do
      if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
    while (errno == EINTR);
    return errno == EINPROGRESS || errno == EALREADY ? ETIMEDOUT : errno;
  }

  const std::chrono::milliseconds timeout_;
  brood::Connection connection_;
};

}  // namespace proxy
