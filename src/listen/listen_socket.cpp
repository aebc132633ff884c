// SPDX-License-Identifier: MIT
#include "listen/listen_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "listen/socket_options.hpp"

namespace brood {

void set_option(const Descriptor& socket, int level, int option, const std::string& what, int value) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof value) != 0)
    throw SystemError("set options of " + what, errno);
}

Descriptor new_socket(int family, const ListenSpec& spec, const std::string& what) {
  const int type = spec.brings() == WorkKind::datagrams ? SOCK_DGRAM : SOCK_STREAM;
  Descriptor socket(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!socket) throw SystemError("socket for " + what, errno);
  return socket;
}

Descriptor bind_inet(const SocketAddress& address, const ListenSpec& spec, const std::string& what,
                     PortUse use) {
  Descriptor socket = new_socket(address.storage.ss_family, spec, what);
  if (spec.socket.freebind) set_freebind(socket, address.storage.ss_family, what);
  // With UDP it would let another user bind the same port and receive our datagrams.
  if (spec.kind == ListenSpec::Kind::tcp) set_option(socket, SOL_SOCKET, SO_REUSEADDR, what);
  if (use == PortUse::shared) set_option(socket, SOL_SOCKET, SO_REUSEPORT, what);
  if (address.storage.ss_family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, what);
  if (spec.kind == ListenSpec::Kind::udp) join_group(socket, address, spec, what);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    throw SystemError("bind to " + what, errno);
  return socket;
}

bool is_missing_here(const SystemError& error) {
  return error.error_number() == EAFNOSUPPORT || error.error_number() == EADDRNOTAVAIL;
}

}  // namespace brood
