// SPDX-License-Identifier: MIT
// The socket of a listener: made, given its options, and bound. Parent only.
#pragma once

#include <string>

#include "base/address.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"

namespace brood {

void set_option(const Descriptor& socket, int level, int option, const std::string& what, int value = 1);
Descriptor new_socket(int family, const ListenSpec& spec, const std::string& what);
enum class PortUse { alone, shared };  // shared: see listen/port_sharing.hpp
// `what` is for messages. Throws SystemError.
Descriptor bind_inet(const SocketAddress& address, const ListenSpec& spec, const std::string& what,
                     PortUse use = PortUse::alone);
// A name may have addresses of a family that this machine does not have. The others are used.
bool is_missing_here(const SystemError& error);

}  // namespace brood
