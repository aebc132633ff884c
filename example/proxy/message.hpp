// SPDX-License-Identifier: MIT
// Requests and answers. Boost.Beast parses their heads. What passes is written again, as it was understood.
#pragma once

#include <algorithm>
#include <array>
#include <boost/beast/http.hpp>
#include <brood/connection.hpp>
#include <brood/error.hpp>
#include <charconv>
#include <optional>
#include <regex>
#include <sstream>

namespace proxy {

namespace http = boost::beast::http;
using boost::beast::iequals;

constexpr std::size_t largest_head = 32'768, longest_host = 255;

// The client gets a page with this status, for example "403 Forbidden", and what(), for who reads it.
struct Refusal : brood::Error {
  Refusal(std::string its_status, const std::string& what, std::string its_field = "")
      : Error(what), status(std::move(its_status)), field(std::move(its_field)) {}
  std::string status, field;  // field: one more line of the answer, with its end
};
inline Refusal bad_request(const std::string& what) { return {"400 Bad Request", what}; }
inline Refusal forbidden(const std::string& what) { return {"403 Forbidden", what}; }
inline Refusal bad_gateway(const std::string& what) { return {"502 Bad Gateway", what}; }
inline Refusal gateway_timeout(const std::string& what) { return {"504 Gateway Timeout", what}; }

enum class Framing : std::uint8_t { none, length, chunked, until_end };
struct Body {
  Framing framing = Framing::none;
  std::uint64_t length = 0;
};

template <bool is_request>
struct Message {
  http::header<is_request> head;
  Body body;
  std::string text() const {  // of the head
    std::ostringstream out;
    out << head;
    return out.str();
  }
};
using Request = Message<true>;
using Answer = Message<false>;

// Empty: the peer has sent no more. Throws Refusal if the head is wrong or too large. A body whose end could
// be read in two ways is wrong: who reads it the other way would take a part of it for the next message.
template <bool is_request>
std::optional<Message<is_request>> read_message(brood::Connection& connection) try {
  auto text = connection.read_until("\r\n\r\n", largest_head);
  if (!text) return {};
  if (text->starts_with("\r\n")) text->erase(0, 2);  // some clients send a line end behind a body
  http::parser<is_request, http::empty_body> parser;
  parser.header_limit(largest_head + 4);
  parser.body_limit(UINT64_MAX);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(*text += "\r\n\r\n"), error);
  if (error) throw bad_request("the head is wrong: " + error.message());
  Message<is_request> message{.head = parser.get(), .body = {}};
  const auto encodings = message.head.count(http::field::transfer_encoding);
  const auto encoding = message.head[http::field::transfer_encoding];
  if (encodings > 0 && (encodings > 1 || !iequals(encoding, "chunked") || message.head.version() < 11))
    throw Refusal("501 Not Implemented", "the only transfer encoding is chunked, in HTTP/1.1");
  if (encodings > 0)
    message.body.framing = Framing::chunked;
  else if (const auto length = parser.content_length())
    message.body = {.framing = Framing::length, .length = *length};
  else if (!is_request)
    message.body.framing = Framing::until_end;
  return message;
} catch (const brood::TooLongError&) {
  throw Refusal("431 Request Header Fields Too Large", "the head is too large");
}

// Whether a field that is a list has this word.
inline bool lists(const http::fields& fields, http::field name, boost::string_view word) {
  const auto [first, last] = fields.equal_range(name);
  return std::any_of(first, last,
                     [&](const auto& field) { return http::token_list(field.value()).exists(word); });
}

// Removes what is only for one connection: Connection and what it names, Proxy-..., TE, Upgrade and so on.
inline void remove_hop_by_hop(http::fields& fields) {
  std::vector<std::string> names = {"Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"};
  for (const auto& field : fields) {
    if (iequals(field.name_string().substr(0, 6), "Proxy-")) names.emplace_back(field.name_string());
    if (field.name() != http::field::connection) continue;
    for (const auto word : http::token_list(field.value()))
      if (!iequals(word, "Content-Length")) names.emplace_back(word);
  }
  fields.erase(http::field::connection);
  for (const auto& name : names) fields.erase(name);
}

struct Site {
  std::string host;  // in lower case, without brackets
  unsigned port = 0;
  std::string text() const {
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  }
};

// "example.org:80" or "[::1]:80". If `default_port` is 0, there must be a port. Throws Refusal.
inline Site parse_site(const std::string& text, unsigned default_port) {
  static const std::regex form(R"((\[([0-9a-f:.]+)\]|([0-9a-z_.][0-9a-z_.-]*))(:([0-9]{0,5}))?)",
                               std::regex::icase);
  std::smatch parts;
  if (text.size() > longest_host || !std::regex_match(text, parts, form))
    throw bad_request("the host is not valid");
  Site site{.host = parts.str(2) + parts.str(3), .port = default_port};
  std::ranges::transform(site.host, site.host.begin(), [](unsigned char c) { return std::tolower(c); });
  if (parts.length(5) > 0) site.port = static_cast<unsigned>(std::stoul(parts.str(5)));
  if (site.port == 0 || site.port > 65'535) throw bad_request("the port is missing or not valid");
  return site;
}

// Reads a body and calls `give` with its bytes, piece by piece, without the marks of chunks. Throws
// ConnectionError if the peer ends within it, Refusal if a chunk is wrong.
template <typename Give>
void read_body(brood::Connection& from, Body body, Give give) {
  std::array<char, 16'384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is used is written
  const auto some = [&](std::uint64_t most) {
    const auto size = from.read_some({buffer.data(), std::min<std::uint64_t>(most, buffer.size())});
    if (size > 0) give(std::string_view(buffer.data(), size));
    return size;
  };
  const auto exactly = [&](std::uint64_t left) {
    while (left > 0) {
      const auto size = some(left);
      if (size == 0) throw brood::ConnectionError("the end came within a body", ECONNRESET);
      left -= size;
    }
  };
  const auto line = [&] {
    auto text = from.read_until("\r\n");
    if (!text) throw brood::ConnectionError("the end came within a body", ECONNRESET);
    return *text;
  };
  if (body.framing == Framing::until_end)
    while (some(buffer.size()) > 0) continue;
  exactly(body.length);
  if (body.framing != Framing::chunked) return;
  for (;;) {
    const std::string mark = line();
    const char* const end = mark.data() + std::min(mark.find_first_of("; \t"), mark.size());  // no extension
    std::uint64_t size = 0;
    const auto [at, error] = std::from_chars(mark.data(), end, size, 16);
    if (error != std::errc() || at != end) throw bad_request("a chunk has no valid length");
    if (size == 0) break;
    exactly(size);
    if (!line().empty()) throw bad_request("a chunk is longer than it says");
  }
  while (!line().empty()) continue;  // trailers are dropped
}

// Writes a piece as the framing wants it. An empty piece is the end.
inline void write_piece(brood::Connection& to, Framing framing, std::string_view piece) {
  if (framing != Framing::chunked) return to.write_all(piece);
  std::array<char, 16> digits{};
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
  to.write_all(std::string_view(digits.data(), end), "\r\n", piece, "\r\n");
}

}  // namespace proxy
