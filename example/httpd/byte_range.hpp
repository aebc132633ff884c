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

// Reads the text of a field Range, about a file of `size` bytes. Empty: the whole file; also if the text is
// not understood or wants several ranges, which the protocol leaves to the server.
std::optional<ByteRange> parse_range(std::string_view text, std::uint64_t size);

}  // namespace httpd
