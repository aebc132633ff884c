// SPDX-License-Identifier: MIT
// The header of the PROXY protocol, versions 1 and 2. Pure. Source: haproxy's doc/proxy-protocol.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "brood/proxy_header.hpp"

namespace brood {

struct ParsedProxyHeader {
  // More: these bytes may be the begin of a header, and all of them belong to it.
  enum class State : std::uint8_t { more, whole, wrong };

  State state = State::more;
  std::size_t size = 0;           // of the whole header
  ProxyHeader header = {};        // the whole one
  std::string_view mistake = {};  // what is wrong: "it has …"
};

// `bytes`: all that has come so far, which may be more than the header.
ParsedProxyHeader parse_proxy_header(std::string_view bytes);

// RFC 4960, appendix B. `before`: of what precedes these bytes.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace brood
