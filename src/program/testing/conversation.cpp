// SPDX-License-Identifier: MIT
#include "program/testing/conversation.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "brood/error.hpp"

namespace brood::testing {

std::string converse(const Descriptor& socket, std::string_view input) {
  std::string output;
  std::array<char, 16384> buffer{};
  if (input.empty()) ::shutdown(socket.get(), SHUT_WR);
  for (;;) {
    pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (!input.empty()) ready.events |= POLLOUT;
    if (::poll(&ready, 1, -1) < 0 && errno != EINTR) throw SystemError("poll", errno);
    if (!input.empty() && (ready.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
      const ssize_t sent = ::send(socket.get(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) input = {};
      if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
      if (input.empty()) ::shutdown(socket.get(), SHUT_WR);
    }
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) output.append(buffer.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return output;
  }
}

}  // namespace brood::testing
