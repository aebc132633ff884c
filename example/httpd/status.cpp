// SPDX-License-Identifier: MIT
#include "status.hpp"

#include <algorithm>
#include <array>

namespace httpd {
namespace {

struct Row {
  Status status;
  std::string_view line, explanation;
};

constexpr std::array<Row, 16> rows = {{
    {Status::ok, "200 OK", ""},
    {Status::partial_content, "206 Partial Content", ""},
    {Status::not_modified, "304 Not Modified", ""},
    {Status::not_found, "404 Not Found", "The requested file was not found on this server.\n"},
    {Status::moved_permanently, "301 Moved Permanently", "The requested folder is at another address.\n"},
    {Status::bad_request, "400 Bad Request", "The server did not understand this request.\n"},
    {Status::forbidden, "403 Forbidden", "The requested file must not be read.\n"},
    {Status::method_not_allowed, "405 Method Not Allowed", "This server knows GET and HEAD only.\n"},
    {Status::request_timeout, "408 Request Timeout", "The request took too long to arrive.\n"},
    {Status::precondition_failed, "412 Precondition Failed",
     "The requested file is not what the request makes a condition.\n"},
    {Status::content_too_large, "413 Content Too Large", "This request has too large a body.\n"},
    {Status::target_too_long, "414 URI Too Long", "This request has too long a first line.\n"},
    {Status::range_not_satisfiable, "416 Range Not Satisfiable", "The requested range has no bytes.\n"},
    {Status::header_too_large, "431 Request Header Fields Too Large",
     "This request has too large a header.\n"},
    {Status::not_implemented, "501 Not Implemented", "This server does not know how to do this.\n"},
    {Status::unavailable, "503 Service Unavailable", "The server can't answer this request now.\n"},
}};

const Row& row(Status status) {
  return *std::find_if(rows.begin(), rows.end() - 1, [&](const Row& one) { return one.status == status; });
}

}  // namespace

std::string_view status_line(Status status) { return row(status).line; }
std::string_view explanation(Status status) { return row(status).explanation; }

}  // namespace httpd
