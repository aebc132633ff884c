// SPDX-License-Identifier: MIT
#include "idle_connections.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "load_client.hpp"

namespace brood::bench {

IdleConnections::IdleConnections(const std::string& address, unsigned number) {
  constexpr std::string_view line = "hello\n";
  raise_descriptor_limit(number);
  LoadTarget target(address);
  std::array<char, 64> answer{};
  for (unsigned i = 0; i < number; ++i) {
    sockets_.push_back(target.connect(0));
    const int socket = sockets_.back().get();
    if (socket < 0 || ::send(socket, line.data(), line.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(socket, answer.data(), answer.size(), 0) <= 0)
      throw std::system_error(errno, std::generic_category(), "idle connection " + std::to_string(i));
  }
}

unsigned IdleConnections::closed() const {
  return static_cast<unsigned>(std::count_if(sockets_.begin(), sockets_.end(), [](const Descriptor& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN;
  }));
}

}  // namespace brood::bench
