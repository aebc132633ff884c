// SPDX-License-Identifier: MIT
// Options of listening sockets. Connections inherit those of TCP, which costs no system call for them. Parent
// only.
#pragma once

#include <string>

#include "base/address.hpp"
#include "brood/descriptor.hpp"

namespace brood {

// Does nothing if it is not TCP. Throws SystemError.
void set_socket_options(const Descriptor& listener, const SocketOptions& wanted, const std::string& what);
// Before bind(): its address need not exist yet. Throws SystemError.
void set_freebind(const Descriptor& socket, int family, const std::string& what);
// Joins the group if the address of this UDP socket is a multicast one. Before bind(). Throws SystemError or
// ConfigurationError.
void join_group(const Descriptor& socket, const SocketAddress& address, const ListenSpec& spec,
                const std::string& what);
// Logs that the kernel permits fewer connections to wait than `backlog`.
void warn_of_short_queue(int backlog, const std::string& what);

}  // namespace brood
