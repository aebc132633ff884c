// SPDX-License-Identifier: MIT
// Makes requests out of the bytes of a connection, which may come in any pieces. The grammar is not ours: it
// is Boost.Beast's parser, which is well kept, strict (no bare line feeds, no two lengths of a body, no space
// before a colon) and does no input or output of its own, so that it fits into any event loop. Here are the
// limits, and what is to be refused beyond the grammar.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "request.hpp"
#include "status.hpp"

namespace httpd {

// Of the first line and all fields, in bytes, and of the fields, in number.
inline constexpr std::size_t largest_header = 8192;
inline constexpr std::size_t most_fields = 100;
// A body is read away, it means nothing to this server.
inline constexpr std::size_t largest_body = 65'536;

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // Takes as much of `data` as belongs to this request and returns how much that was. What it left is to come
  // again, with what follows it. Throws Refusal; there is no going on with that connection then.
  std::size_t take(std::string_view data);
  bool began() const;     // something of a request was taken
  bool complete() const;  // with its body, or it must be answered before that comes
  const Request& request() const;
  void next();  // after a complete one

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace httpd
