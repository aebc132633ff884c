// SPDX-License-Identifier: MIT
// The header of the PROXY protocol, as its specification has it.
#include "child/proxy/proxy_parser.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace brood;
using namespace std::string_literals;
using namespace std::string_view_literals;
using State = ParsedProxyHeader::State;

namespace {

std::string be16(std::size_t number) {
  return {static_cast<char>(number >> 8U & 0xffU), static_cast<char>(number & 0xffU)};
}

std::string version_2(unsigned command, unsigned family, const std::string& block) {
  return "\r\n\r\n\0\r\nQUIT\n"s + static_cast<char>(0x20U | command) + static_cast<char>(family) +
         be16(block.size()) + block;
}

std::string field(std::uint8_t type, const std::string& value) {
  return static_cast<char>(type) + be16(value.size()) + value;
}

const std::string ipv4 =
    "\xcb\x00\x71\x07\xc6\x33\x64\x01\x12\x67\x00\x50"s;  // 203.0.113.7:4711, 198.51.100.1:80
const std::string ipv6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + "\x20\x01\x0d\xb8"s +
                         std::string(11, '\0') + "\x01\x12\x67\x00\x50"s;

std::string unix_paths(std::string source, std::string destination) {
  source.resize(108);
  destination.resize(108);
  return source + destination;
}

const std::string tls = field(ProxyField::tls, "\x01\0\0\0\0"s + field(ProxyField::tls_version, "TLSv1.3") +
                                                   field(ProxyField::tls_common_name, "client"));

// The checksum is computed with zeros in its place, and then put there.
std::string with_checksum(unsigned family, const std::string& block) {
  std::string header = version_2(1, family, block + field(3, "\0\0\0\0"s));
  const std::uint32_t sum = crc32c(header);
  for (unsigned i = 0; i < 4; ++i) header[header.size() - 1 - i] = static_cast<char>(sum >> 8 * i & 0xffU);
  return header;
}

std::vector<std::string> good_headers() {
  return {"PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\n",
          "PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n",
          "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
          "PROXY UNKNOWN\r\n",
          "PROXY UNKNOWN ffff:f:f:f:f:f:f:ffff anything 0\r\n",
          version_2(0, 0, ""),
          version_2(0, 0xff, "whatever"),
          version_2(1, 0, ""),
          version_2(1, 0x11, ipv4),
          version_2(1, 0x12, ipv4),
          version_2(1, 0x21, ipv6),
          version_2(1, 0x22, ipv6),
          version_2(1, 0x31, unix_paths("/client", "/server")),
          version_2(1, 0x32, unix_paths("", "")),
          version_2(1, 0x11, ipv4 + field(4, "padding") + field(2, "example.org") + field(0xe0, "own")),
          version_2(1, 0x21, ipv6 + tls + field(1, "h2")),
          with_checksum(0x11, ipv4 + field(5, "unique"))};
}

}  // namespace

TEST_CASE("a PROXY header of version 1") {
  struct Row {
    std::string bytes;
    State state;
    std::string source = {}, destination = {};
  };
  const std::string long_line = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  REQUIRE(long_line.size() == 107);
  for (const Row& row : std::vector<Row>{
           {"PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\nGET /", State::whole, "203.0.113.7:4711",
            "198.51.100.1:80"},
           {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", State::whole, "0.0.0.0:0",
            "255.255.255.255:65535"},
           {"PROXY TCP6 2001:DB8::7 ::1 4711 80\r\n", State::whole, "[2001:db8::7]:4711", "[::1]:80"},
           {"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 80\r\n", State::whole, "[::ffff:192.0.2.1]:4711",
            "[::1]:80"},
           {"PROXY UNKNOWN\r\n", State::whole, "unknown", "unknown"},
           {"PROXY UNKNOWN 1 2 3 4 5\r\n", State::whole, "unknown", "unknown"},
           {long_line, State::whole, "unknown", "unknown"},
           {"PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", State::wrong},
           {std::string("PROXY ") + std::string(101, 'x'), State::wrong},
           {std::string("PROXY ") + std::string(100, 'x'), State::more},
           {"PROXY UNKNOWN\n", State::wrong},
           {"PROXY UNKNOWN\rx", State::wrong},
           {"PROXY UNKNOWN\r", State::more},
           {"PROXY UNKNOWNS\r\n", State::wrong},
           {"PROXY \r\n", State::wrong},
           {"PROXY  TCP4 203.0.113.7 198.51.100.1 4711 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7  198.51.100.1 4711 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7 198.51.100.1 4711 80 \r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7 198.51.100.1 4711\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.007 198.51.100.1 4711 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113 198.51.100.1 4711 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7\0 198.51.100.1 4711 80\r\n"s, State::wrong},
           {"PROXY TCP4 203.0.113.7 198.51.100.1 04711 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7 198.51.100.1 -1 80\r\n", State::wrong},
           {"PROXY TCP4 203.0.113.7 198.51.100.1 65536 80\r\n", State::wrong},
           {"PROXY TCP4 ::1 ::1 4711 80\r\n", State::wrong},
           {"PROXY TCP6 127.0.0.1 ::1 4711 80\r\n", State::wrong},
           {"PROXY TCP5 127.0.0.1 127.0.0.1 4711 80\r\n", State::wrong},
           {"proxy TCP4 127.0.0.1 127.0.0.1 4711 80\r\n", State::wrong},
           {"GET / HTTP/1.1\r\n", State::wrong},
           {"P", State::more},
           {"", State::more}}) {
    CAPTURE(row.bytes);
    const ParsedProxyHeader parsed = parse_proxy_header(row.bytes);
    REQUIRE(parsed.state == row.state);
    CHECK(parsed.mistake.empty() == (row.state != State::wrong));
    if (row.state != State::whole) continue;
    CHECK(parsed.header.source.text() == row.source);
    CHECK(parsed.header.destination.text() == row.destination);
    CHECK_FALSE(parsed.header.local);
    CHECK(parsed.size == row.bytes.find('\n') + 1);
  }
}

TEST_CASE("a PROXY header of version 2") {
  struct Row {
    std::string bytes;
    State state;
    std::string source = {}, destination = {};
  };
  const std::string long_path(108, 'x');
  for (const Row& row : std::vector<Row>{
           {version_2(1, 0x11, ipv4), State::whole, "203.0.113.7:4711", "198.51.100.1:80"},
           {version_2(1, 0x12, ipv4), State::whole, "203.0.113.7:4711", "198.51.100.1:80"},
           {version_2(1, 0x21, ipv6), State::whole, "[2001:db8::7]:4711", "[2001:db8::1]:80"},
           {version_2(1, 0x22, ipv6), State::whole, "[2001:db8::7]:4711", "[2001:db8::1]:80"},
           {version_2(1, 0x31, unix_paths("/client", "/server")), State::whole, "unix:/client",
            "unix:/server"},
           {version_2(1, 0x32, unix_paths("", "/server")), State::whole, "unix", "unix:/server"},
           {version_2(1, 0x31, unix_paths(long_path, long_path)), State::whole, "unix:" + long_path,
            "unix:" + long_path},
           {version_2(1, 0, ""), State::whole, "unknown", "unknown"},
           {version_2(1, 0, "\x01 not fields"), State::whole, "unknown", "unknown"},
           {version_2(1, 0x10, ipv4), State::whole, "unknown", "unknown"},
           {version_2(1, 0x01, ""), State::whole, "unknown", "unknown"},
           {version_2(1, 0x11, ipv4.substr(1)), State::wrong},
           {version_2(1, 0x21, ipv4), State::wrong},
           {version_2(1, 0x31, std::string(215, 'x')), State::wrong},
           {version_2(1, 0x41, ipv4), State::wrong},
           {version_2(1, 0x13, ipv4), State::wrong},
           {version_2(2, 0x11, ipv4), State::wrong},
           {"\r\n\r\n\0\r\nQUIT\n\x11"s, State::wrong},
           {"\r\n\r\n\0\r\nQUIT\n\x31"s, State::wrong},
           {"\r\n\r\n\0\r\nQUIX"s, State::wrong},
           {version_2(1, 0x11, ipv4 + "\x02"), State::wrong},
           {version_2(1, 0x11, ipv4 + "\x02\x00\x05name"s), State::wrong},
           {version_2(1, 0x11, ipv4 + field(ProxyField::tls, "1234")), State::wrong},
           {version_2(1, 0x11, ipv4 + field(ProxyField::tls, "12345\x21\x00\x05x"s)), State::wrong},
           {version_2(1, 0x11, ipv4 + field(3, "123")), State::wrong},
           {version_2(1, 0x11, ipv4 + field(3, "1234")), State::wrong}}) {
    CAPTURE(row.bytes);
    const ParsedProxyHeader parsed = parse_proxy_header(row.bytes);
    REQUIRE(parsed.state == row.state);
    if (row.state != State::whole) continue;
    CHECK(parsed.header.source.text() == row.source);
    CHECK(parsed.header.destination.text() == row.destination);
    CHECK(parsed.size == row.bytes.size());
    CHECK(parse_proxy_header(row.bytes + "more").size == row.bytes.size());
  }
}

TEST_CASE("a PROXY header of version 2: LOCAL ignores what follows") {
  for (const auto& bytes : {version_2(0, 0, ""), version_2(0, 0x11, ipv4), version_2(0, 0xff, "whatever")}) {
    const ParsedProxyHeader parsed = parse_proxy_header(bytes);
    CHECK(parsed.state == State::whole);
    CHECK(parsed.size == bytes.size());
    CHECK(parsed.header.local);
    CHECK_FALSE(parsed.header.names_client());
    CHECK(parsed.header.fields.empty());
  }
}

TEST_CASE("the fields of a PROXY header") {
  const auto parsed = parse_proxy_header(version_2(
      1, 0x11,
      ipv4 + field(4, "padding") + field(2, "example.org") + field(0xe0, "") + tls + field(1, "h2")));
  REQUIRE(parsed.state == State::whole);
  const ProxyHeader& header = parsed.header;
  CHECK(header.field(ProxyField::authority) == "example.org");
  CHECK(header.field(ProxyField::alpn) == "h2");
  CHECK(header.field(0xe0) == "");
  CHECK(header.field(ProxyField::tls) == "\x01\0\0\0\0"sv);
  CHECK(header.field(ProxyField::tls_version) == "TLSv1.3");
  CHECK(header.field(ProxyField::tls_common_name) == "client");
  CHECK_FALSE(header.field(ProxyField::unique_id));
  CHECK(header.fields.size() == 6);
}

TEST_CASE("the checksum of a PROXY header") {
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c("6789", crc32c("12345")) == 0xe3069283U);
  const std::string good = with_checksum(0x11, ipv4 + field(5, "unique"));
  CHECK(parse_proxy_header(good).state == State::whole);
  CHECK(parse_proxy_header(good).header.fields.size() == 1);
  const std::size_t checksum = good.size() - 7;  // its type: with another one there is none
  for (std::size_t at = 16; at < good.size(); ++at) {
    if (at == checksum) continue;
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    CAPTURE(at);
    CHECK(parse_proxy_header(changed).state != State::whole);
  }
}

TEST_CASE("each begin of a PROXY header asks for more") {
  for (const auto& header : good_headers()) {
    CAPTURE(header);
    CHECK(parse_proxy_header(header).state == State::whole);
    for (std::size_t size = 0; size < header.size(); ++size)
      REQUIRE(parse_proxy_header(std::string_view(header).substr(0, size)).state == State::more);
  }
}

TEST_CASE("no bytes confuse the parser of PROXY headers") {
  std::mt19937 random(4711);  // NOLINT(cert-msc51-cpp): the same ones each time
  const auto headers = good_headers();
  unsigned whole = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = headers[random() % headers.size()] + "more";
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8);
          break;
        case 2:
          bytes.insert(at, random() % 8, static_cast<char>(random()));
          break;
        default:
          bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
      }
      if (bytes.empty()) bytes = "x";
    }
    // Of the right size, so that a sanitizer sees each byte beyond it.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const ParsedProxyHeader parsed = parse_proxy_header({exact.data(), exact.size()});
    if (parsed.state == State::whole) {
      ++whole;
      REQUIRE(parsed.size <= bytes.size());
      // It is the same without what follows, and not whole with a byte less.
      REQUIRE(parse_proxy_header(bytes.substr(0, parsed.size)).state == State::whole);
      REQUIRE(parse_proxy_header(bytes.substr(0, parsed.size - 1)).state != State::whole);
    }
  }
  CHECK(whole > 1000);
}
