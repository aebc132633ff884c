// SPDX-License-Identifier: MIT
// Requests: Boost.Beast parses their heads, and what else RFC 9112 wants refused is refused here. Bodies are
// not read: a request with a body is the last one of its connection.
#pragma once

#include <algorithm>
#include <boost/beast/http.hpp>
#include <brood/error.hpp>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace httpd {

namespace http = boost::beast::http;
using boost::beast::iequals;
using Request = http::request<http::empty_body>;

constexpr std::size_t largest_head = 8192;

// The client gets this status and what(), for who reads it.
struct Refusal : brood::Error {
  Refusal(http::status its_status, const std::string& what, std::string its_field = "")
      : Error(what), status(its_status), field(std::move(its_field)) {}
  http::status status;
  std::string field;  // one more line of the answer, with its end
};
inline Refusal bad_request(const std::string& what) { return {http::status::bad_request, what}; }
inline Refusal not_found() {
  return {http::status::not_found, "The requested file was not found on this server."};
}

inline std::string_view view(boost::string_view text) { return {text.data(), text.size()}; }

// Several lines of one field are one list.
inline std::string all_of(const Request& request, http::field name) {
  std::string all;
  const auto [first, last] = request.equal_range(name);
  for (auto line = first; line != last; ++line) (all += all.empty() ? "" : ", ") += view(line->value());
  return all;
}

// Percent signs are decoded once.
inline std::string decoded(std::string_view text) {
  std::string out;
  for (;;) {
    const auto percent = text.find('%');
    out += text.substr(0, percent);
    if (percent == std::string_view::npos) return out;
    text.remove_prefix(percent + 1);
    unsigned byte = 0;
    const char* const end =
        std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 2), byte, 16).ptr;
    if (end != text.data() + 2 || byte == 0) throw bad_request("A percent sign is not understood.");
    out += static_cast<char>(byte);
    text.remove_prefix(2);
  }
}

// HOST or HOST:PORT. A name of a user is not allowed before it: it is there to deceive.
inline void check_host(std::string_view text) {
  constexpr std::string_view letters =
      "-._~!$&'()*+,;=%ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const auto only = [](std::string_view part, std::string_view allowed) {
    return part.find_first_not_of(allowed) == std::string_view::npos;
  };
  const bool number = text.starts_with('[');  // [::1]; npos + 1 is 0
  const auto end = number ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  const auto host = text.substr(0, end);
  const auto port = text.substr(end);
  const bool fits =
      number ? end > 2 && only(host.substr(1, end - 2), "0123456789ABCDEFabcdef:.") : only(host, letters);
  if (host.empty() || !fits || (!port.empty() && (port[0] != ':' || !only(port.substr(1), "0123456789"))))
    throw bad_request("The host is not valid.");
  decoded(host);
}

// Bodies are not read. But a client whose length and coding contradict each other gets an error: a proxy in
// between may see another end of the body.
inline void check_encoding(const Request& request) {
  if (request.version() < 11 || request.count(http::field::content_length) > 0)
    throw bad_request("The length of the body can be read in two ways.");
  const std::string text = all_of(request, http::field::transfer_encoding);
  const http::opt_token_list list{text};
  const std::vector<std::string> codings(list.begin(), list.end());
  const auto chunked =
      std::count_if(codings.begin(), codings.end(), [](const auto& one) { return iequals(one, "chunked"); });
  if (!http::validate_list(list) || chunked != 1 || !iequals(codings.back(), "chunked"))
    throw bad_request("The last transfer coding, and no other one, must be chunked.");
  if (codings.size() > 1)
    throw Refusal(http::status::not_implemented, "The only transfer coding of this server is chunked.");
}

// `head` is all before the empty line. Throws Refusal: then nothing more can be read from the connection.
inline Request parse_request(std::string head) {
  // Beast knows two versions. Another 1.x means what 1.1 means; another number is not the same as no number.
  const auto end = std::min(head.find("\r\n"), head.size());
  const std::string version = head.substr(0, end).substr(end - std::min<std::size_t>(end, 9));
  const auto digit = [&](std::size_t at) { return version[at] >= '0' && version[at] <= '9'; };
  if (version.size() < 9 || !version.starts_with(" HTTP/") || !digit(6) || version[7] != '.' || !digit(8))
    throw bad_request("The first line does not end with a version.");
  if (version[6] != '1')
    throw Refusal(http::status::http_version_not_supported, "This server has HTTP/1.1 only.");
  if (version[8] > '1') head[end - 1] = '1';

  http::request_parser<http::empty_body> parser;
  parser.header_limit(largest_head + 4);
  parser.skip(true);  // the body
  boost::system::error_code error;
  parser.put(boost::asio::buffer(head += "\r\n\r\n"), error);
  if (error) throw bad_request("The request is not understood: " + error.message() + ".");
  Request request = parser.release();
  const auto hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() > 10)) throw bad_request("There must be one field Host.");
  if (hosts == 1) check_host(view(request[http::field::host]));
  if (request.count(http::field::transfer_encoding) > 0) check_encoding(request);
  return request;
}

inline bool has_body(const Request& request) {
  const auto length = request.find(http::field::content_length);
  return request.count(http::field::transfer_encoding) > 0 ||
         (length != request.end() && length->value() != "0");
}

// What the target of a request names below the document root: "pictures/tree.png", "pictures/", "" for the
// root. Empty segments are dropped. Segments that begin with '.' name nothing, neither ".." nor a hidden
// file.
inline std::string path_of(std::string_view target) {
  if (!target.starts_with('/')) {  // http://HOST/path
    const auto scheme = target.substr(0, target.find("://"));
    if (!iequals({scheme.data(), scheme.size()}, "http") && !iequals({scheme.data(), scheme.size()}, "https"))
      throw bad_request("The target is neither a path nor an address of the web.");
    target.remove_prefix(std::min(scheme.size() + 3, target.size()));
    const auto host = target.substr(0, target.find_first_of("/?#"));
    check_host(host);
    target.remove_prefix(host.size());
  }
  if (target.find('#') != std::string_view::npos) throw bad_request("The target has a fragment.");
  std::string path = "/" + decoded(target.substr(0, target.find('?')));
  path.erase(std::unique(path.begin(), path.end(), [](char a, char b) { return a == '/' && b == '/'; }),
             path.end());
  if (path.find("/.") != std::string::npos) throw not_found();
  return path.substr(1);
}

}  // namespace httpd
