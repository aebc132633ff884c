// SPDX-License-Identifier: MIT
#include "load/load_target.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>

#include "base/text.hpp"

namespace brood::load {
namespace {

socklen_t parse_unix(const std::string& path, sockaddr_un& address) {
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw std::invalid_argument("path of a unix socket: " + path);
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  return sizeof address;
}

socklen_t parse_ip(const std::string& text, sockaddr_storage& address) {
  const auto colon = text.rfind(':');
  const std::string host = colon == std::string::npos ? "127.0.0.1" : text.substr(0, colon);
  const in_port_t port = htons(parse_number<in_port_t>(std::string_view(text).substr(colon + 1)).value_or(0));
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(address);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
  if (port != 0 && ::inet_pton(AF_INET, host.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = port;
    return sizeof ipv4;
  }
  if (port != 0 && host.size() > 2 && host.front() == '[' && host.back() == ']' &&
      ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = port;
    return sizeof ipv6;
  }
  throw std::invalid_argument("'" + text + "' is none of IPV4:PORT, [IPV6]:PORT, PORT and unix:PATH");
}

bool is_loopback(const sockaddr_in& address) {
  return ntohl(address.sin_addr.s_addr) >> 24U == IN_LOOPBACKNET;
}

}  // namespace

LoadTarget::LoadTarget(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  size_ = text.starts_with(unix_prefix)
              ? parse_unix(text.substr(unix_prefix.size()), reinterpret_cast<sockaddr_un&>(address_))
              : parse_ip(text, address_);
}

bool LoadTarget::is_local() const {
  if (address_.ss_family == AF_INET) return is_loopback(reinterpret_cast<const sockaddr_in&>(address_));
  if (address_.ss_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address_).sin6_addr) != 0;
  return true;
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
  if (address_.ss_family != AF_INET || !is_local()) return true;
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

}  // namespace brood::load
