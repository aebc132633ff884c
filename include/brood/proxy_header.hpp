// SPDX-License-Identifier: MIT
// What the header of the PROXY protocol says, which a balancer sends before the first byte of its client. As
// a value.
#pragma once

#include "brood/cxx20.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brood/address.hpp"

namespace brood {

// One of the fields (TLV) behind the addresses of a header of version 2. The value is what the balancer sent.
struct ProxyField {
  // Those that the protocol defines and that say something of the client. Others may come, too.
  static constexpr std::uint8_t alpn = 0x01;       // the protocol within TLS, as "h2"
  static constexpr std::uint8_t authority = 0x02;  // the host name that the client asked for (SNI)
  static constexpr std::uint8_t unique_id = 0x05;
  static constexpr std::uint8_t tls = 0x20;  // the five bytes before its own fields, which follow it here
  static constexpr std::uint8_t tls_version = 0x21;
  static constexpr std::uint8_t tls_common_name = 0x22;  // of the client's certificate
  static constexpr std::uint8_t tls_cipher = 0x23;
  static constexpr std::uint8_t tls_signature = 0x24;
  static constexpr std::uint8_t tls_key = 0x25;
  static constexpr std::uint8_t network_namespace = 0x30;

  std::uint8_t type = 0;
  std::string value;
};

struct ProxyHeader {
  bool local = false;  // the balancer speaks for itself, as for a check: there is no client
  // Of the client, and where it has connected to. Family::other: the balancer does not know, and both are
  // those of its own connection.
  Address source, destination;
  std::vector<ProxyField> fields;

  bool names_client() const { return source.family() != Address::Family::other; }
  // The first one of this type.
  std::optional<std::string_view> field(std::uint8_t type) const {
    for (const ProxyField& one : fields)
      if (one.type == type) return one.value;
    return {};
  }
};

}  // namespace brood
