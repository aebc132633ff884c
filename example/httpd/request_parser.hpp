// SPDX-License-Identifier: MIT
// Makes requests out of the bytes of a connection, which may come in any pieces. The grammar is Boost.Beast's
// parser: it is strict (no bare line feeds, no two lengths of a body, no space before a colon), and it does
// no input or output, so that it fits into any event loop. This class adds the limits, and refuses what the
// grammar allows and the server does not.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "request.hpp"
#include "status.hpp"

namespace httpd {

// In bytes, the first line and all fields.
inline constexpr std::size_t largest_header = 8192;
inline constexpr std::size_t most_fields = 100;
// A body is read and dropped.
inline constexpr std::size_t largest_body = 65'536;

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // Reads as much of `data` as belongs to this request, and returns how many bytes that was. Pass the rest
  // again, together with what follows it. Throws Refusal: nothing more can be read from this connection.
  std::size_t take(std::string_view data);
  bool began() const;     // a part of a request was read
  bool complete() const;  // with its body, or it must be answered before its body comes
  const Request& request() const;
  void next();  // after a complete request

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace httpd
