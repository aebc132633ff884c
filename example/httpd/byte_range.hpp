// SPDX-License-Identifier: MIT
// Which bytes of a file a client wants (RFC 9110, section 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace httpd {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  // 0: the file has no such bytes
};

// Out of a file of `size` bytes, from the text of a field Range. Empty: all of it, also where the text is not
// understood, or wants several ranges, as the protocol leaves it to the server.
std::optional<ByteRange> parse_range(std::string_view text, std::uint64_t size);

}  // namespace httpd
