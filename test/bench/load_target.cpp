// SPDX-License-Identifier: MIT
#include "load_target.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace brood::bench {
namespace {

socklen_t parse_unix(const std::string& path, sockaddr_un& address) {
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw std::invalid_argument("path of a unix socket: " + path);
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  return sizeof address;
}

socklen_t parse_ipv4(const std::string& text, sockaddr_in& address) {
  const auto colon = text.find(':');
  in_port_t port = 0;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
      std::from_chars(text.data() + colon + 1, end, port).ptr != end || port == 0)
    throw std::invalid_argument("'" + text + "' is neither IPV4:PORT nor unix:PATH");
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return sizeof address;
}

}  // namespace

LoadTarget::LoadTarget(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  size_ = text.starts_with(unix_prefix)
              ? parse_unix(text.substr(unix_prefix.size()), reinterpret_cast<sockaddr_un&>(address_))
              : parse_ipv4(text, reinterpret_cast<sockaddr_in&>(address_));
}

Descriptor LoadTarget::connect(int flags) {
  Descriptor socket(::socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (socket && bind_source(socket) &&
      (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), size_) == 0 ||
       errno == EINPROGRESS))
    return socket;
  const int error_number = errno;
  socket.reset();
  errno = error_number;
  return {};
}

// A connection of ours that has ended blocks its (address, port) pair for a minute. With ever other
// addresses there are always free ports.
bool LoadTarget::bind_source(const Descriptor& socket) {
  if (address_.ss_family != AF_INET ||
      (ntohl(reinterpret_cast<const sockaddr_in&>(address_).sin_addr.s_addr) >> 24U) != IN_LOOPBACKNET)
    return true;
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source_ = source_ % 0xfffff0 + 1;
  source.sin_addr.s_addr = htonl((static_cast<std::uint32_t>(IN_LOOPBACKNET) << 24U) + source_);
  const int on = 1;
  return ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
         ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0;
}

void raise_descriptor_limit(std::uint64_t descriptors) {
  constexpr rlim_t others = 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = descriptors + others;
  if (limit.rlim_cur >= wanted) return;
  const rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0)
    throw std::runtime_error(std::to_string(descriptors) + " connections at a time: the hard limit is " +
                             std::to_string(limit.rlim_max) + " descriptors (ulimit -Hn)");
}

}  // namespace brood::bench
