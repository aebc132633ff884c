// SPDX-License-Identifier: MIT
// Listeners of which one has every address of a port, and the other an address of that port: the kernel
// permits only one of them.
#pragma once

#include <string_view>

#include "base/address.hpp"

namespace brood {

// "": every address of this machine.
inline bool has_all_of(std::string_view all, std::string_view host) {
  const bool ipv6 = host.find(':') != std::string_view::npos;
  const bool ipv4 = !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return all.empty() || (all == "0.0.0.0" && ipv4) || (all == "::" && ipv6);
}

// For TCP, and only by what is written: a host name is an address of `*` alone.
inline bool overlap(const ListenSpec& a, const ListenSpec& b) {
  constexpr auto tcp = ListenSpec::Kind::tcp;
  return a.kind == tcp && b.kind == tcp && a.port == b.port && a.port != "0" && a.host != b.host &&
         (has_all_of(a.host, b.host) || has_all_of(b.host, a.host));
}

}  // namespace brood
