// SPDX-License-Identifier: MIT
// The parts of a request that this server uses.
#pragma once

#include <cstdint>
#include <string>

namespace httpd {

enum class Method : std::uint8_t { get, head, other, unknown };  // `other`: HTTP has it, this server doesn't

// Fields that the request lacks are empty.
struct Request {
  Method method = Method::unknown;
  std::string target;  // as it was sent
  bool keep_alive = false;
  std::string range, if_range;
  std::string if_match, if_none_match, if_modified_since, if_unmodified_since;
};

}  // namespace httpd
