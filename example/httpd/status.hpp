// SPDX-License-Identifier: MIT
// The statuses of HTTP that this server answers with, and the text that a person reads with each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace httpd {

enum class Status : std::uint16_t {
  ok = 200,
  partial_content = 206,
  moved_permanently = 301,
  not_modified = 304,
  bad_request = 400,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  request_timeout = 408,
  precondition_failed = 412,
  content_too_large = 413,
  target_too_long = 414,
  range_not_satisfiable = 416,
  header_too_large = 431,
  not_implemented = 501,
  unavailable = 503,
};

std::string_view status_line(Status status);  // "404 Not Found"
std::string_view explanation(Status status);  // a line for people; "": there is none

// Thrown if a request can't be answered with a file. `field`: a line of the answer's head, with its line end.
struct Refusal {
  Status status;
  std::string field;
};

}  // namespace httpd
