// SPDX-License-Identifier: MIT
#include "child/proxy/proxy_parser.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace brood {
namespace {

using namespace std::string_view_literals;
using State = ParsedProxyHeader::State;

constexpr std::string_view line_begin = "PROXY ";
constexpr std::size_t longest_line = 107;  // with its end
constexpr std::string_view signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t fixed_size = 16;  // signature, version and command, family and protocol, length
constexpr std::size_t path_size = 108;
static_assert(signature.size() == 12 && sizeof sockaddr_un{}.sun_path == path_size);

// Of PP2_TYPE_…, those that say nothing of the client.
constexpr std::uint8_t type_crc32c = 0x03, type_noop = 0x04;
constexpr std::size_t crc_size = 4, tls_size = 5;

ParsedProxyHeader wrong(std::string_view mistake) { return {.state = State::wrong, .mistake = mistake}; }

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

// ---- version 1

bool read_port(std::string_view word, in_port_t& port) {
  const auto number = parse_number<std::uint16_t>(word);
  if (!number || (word.size() > 1 && word.front() == '0')) return false;
  port = htons(*number);
  return true;
}

bool read_address(std::string_view host, std::string_view port, bool ipv6, Address& to) {
  sockaddr_storage storage{};
  const std::string word(host);
  if (host.find('\0') != std::string_view::npos) return false;
  bool good = false;
  if (ipv6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    good = ::inet_pton(AF_INET6, word.c_str(), &address.sin6_addr) == 1 && read_port(port, address.sin6_port);
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    good = ::inet_pton(AF_INET, word.c_str(), &address.sin_addr) == 1 && read_port(port, address.sin_port);
  }
  to = Address(storage);
  return good;
}

ParsedProxyHeader parse_line(std::string_view line) {
  ParsedProxyHeader parsed{.state = State::whole, .size = line.size() + 2};
  const auto words = split(line, ' ');
  if (words[1] == "UNKNOWN") return parsed;  // what follows it is to be ignored
  const bool ipv6 = words[1] == "TCP6";
  if (!ipv6 && words[1] != "TCP4") return wrong("its protocol is none of TCP4, TCP6 and UNKNOWN");
  if (words.size() != 6) return wrong("it has not two addresses and two ports");
  if (!read_address(words[2], words[4], ipv6, parsed.header.source) ||
      !read_address(words[3], words[5], ipv6, parsed.header.destination))
    return wrong("it has a wrong address or port");
  return parsed;
}

ParsedProxyHeader parse_version_1(std::string_view bytes) {
  const auto line = bytes.substr(0, longest_line);
  const auto end = line.find_first_of("\r\n");
  if (end == std::string_view::npos || end + 1 == line.size()) {
    if (end != std::string_view::npos && line[end] == '\n') return wrong("its line does not end with CRLF");
    if (line.size() == longest_line) return wrong("its line is too long");
    return {};
  }
  if (line.substr(end, 2) != "\r\n") return wrong("its line does not end with CRLF");
  return parse_line(line.substr(0, end));
}

// ---- version 2

Address inet_address(std::string_view ip, std::string_view port) {
  sockaddr_storage storage{};
  if (ip.size() == sizeof(in_addr)) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, ip.data(), ip.size());
    std::memcpy(&address.sin_port, port.data(), sizeof address.sin_port);
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, ip.data(), ip.size());
    std::memcpy(&address.sin6_port, port.data(), sizeof address.sin6_port);
  }
  return Address(storage);
}

Address unix_address(std::string_view path) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_un&>(storage);
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path_size);
  return Address(storage);
}

// By family: unspecified, IPv4, IPv6, unix.
constexpr std::array<std::size_t, 4> addresses_size = {0, 12, 36, 2 * path_size};

void read_addresses(unsigned family, std::string_view block, ProxyHeader& header) {
  if (family == 3) {
    header.source = unix_address(block.substr(0, path_size));
    header.destination = unix_address(block.substr(path_size, path_size));
    return;
  }
  const std::size_t ip = family == 1 ? sizeof(in_addr) : sizeof(in6_addr);
  header.source = inet_address(block.substr(0, ip), block.substr(2 * ip, 2));
  header.destination = inet_address(block.substr(ip, ip), block.substr(2 * ip + 2, 2));
}

// The checksum is that of the header with zeros in its place.
bool checksum_is_right(std::string_view whole, std::size_t at) {
  std::uint32_t given = 0;
  std::memcpy(&given, whole.data() + at, sizeof given);
  const std::uint32_t before = crc32c("\0\0\0\0"sv, crc32c(whole.substr(0, at)));
  return crc32c(whole.substr(at + crc_size), before) == ntohl(given);
}

struct FieldPlace {
  std::uint8_t type;
  std::size_t at, size;  // of its value
};

// The field at this place, which is before `end`. Empty: it is cut off.
std::optional<FieldPlace> field_at(std::string_view whole, std::size_t at, std::size_t end) {
  constexpr std::size_t head = 3;  // type and length
  if (end - at < head) return {};
  const FieldPlace field{.type = byte_at(whole, at), .at = at + head, .size = number_at(whole, at + 1)};
  if (end - field.at < field.size) return {};
  return field;
}

enum class Fields : std::uint8_t { good, cut_off, wrong_checksum };

// Those from `at` to `end`, and the own fields of the one about TLS, which has no such field among them.
Fields read_fields(std::string_view whole, std::size_t at, std::size_t end, std::vector<ProxyField>& to) {
  while (at < end) {
    const auto field = field_at(whole, at, end);
    if (!field) return Fields::cut_off;
    at = field->at + field->size;
    if (field->type == type_noop) continue;
    if (field->type == type_crc32c) {
      if (field->size != crc_size) return Fields::cut_off;
      if (!checksum_is_right(whole, field->at)) return Fields::wrong_checksum;
      continue;
    }
    const bool tls = field->type == ProxyField::tls;
    if (tls && field->size < tls_size) return Fields::cut_off;
    to.push_back(
        {.type = field->type, .value = std::string(whole.substr(field->at, tls ? tls_size : field->size))});
    for (std::size_t inner = field->at + tls_size; tls && inner < at;) {
      const auto own = field_at(whole, inner, at);
      if (!own) return Fields::cut_off;
      to.push_back({.type = own->type, .value = std::string(whole.substr(own->at, own->size))});
      inner = own->at + own->size;
    }
  }
  return Fields::good;
}

ParsedProxyHeader parse_version_2(std::string_view bytes) {
  if (bytes.size() > signature.size() && byte_at(bytes, 12) >> 4U != 2) return wrong("its version is not 2");
  if (bytes.size() < fixed_size) return {};
  const unsigned command = byte_at(bytes, 12) & 0xfU, family = byte_at(bytes, 13) >> 4U,
                 protocol = byte_at(bytes, 13) & 0xfU;
  if (command > 1) return wrong("its command is neither LOCAL nor PROXY");
  if (command == 1 && (family > 3 || protocol > 2)) return wrong("it has an unknown family or protocol");
  ParsedProxyHeader parsed{.state = State::whole, .size = fixed_size + number_at(bytes, 14)};
  if (bytes.size() < parsed.size) return {};
  parsed.header.local = command == 0;
  if (parsed.header.local) return parsed;  // its family and all that follows are to be ignored
  const std::string_view whole = bytes.substr(0, parsed.size);
  const std::size_t fields_at = fixed_size + addresses_size.at(family);
  if (fields_at > whole.size()) return wrong("its addresses are cut off");
  if (family != 0 && protocol != 0) read_addresses(family, whole.substr(fixed_size), parsed.header);
  const Fields fields = read_fields(whole, fields_at, whole.size(), parsed.header.fields);
  if (fields == Fields::wrong_checksum) return wrong("its checksum is wrong");
  if (fields == Fields::good) return parsed;
  if (family != 0) return wrong("one of its fields is cut off");
  parsed.header.fields.clear();  // without a family there may be addresses all the same
  return parsed;
}

}  // namespace

ParsedProxyHeader parse_proxy_header(std::string_view bytes) {
  const auto begins = [bytes](std::string_view with) {
    return with.substr(0, bytes.size()) == bytes.substr(0, with.size());
  };
  if (begins(line_begin))
    return bytes.size() < line_begin.size() ? ParsedProxyHeader{} : parse_version_1(bytes);
  if (begins(signature))
    return bytes.size() < signature.size() ? ParsedProxyHeader{} : parse_version_2(bytes);
  return wrong("there is none");
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < made.size(); ++i) {
      std::uint32_t word = i;
      for (int bit = 0; bit < 8; ++bit) word = word >> 1U ^ ((word & 1U) != 0 ? 0x82f63b78U : 0U);
      made[i] = word;
    }
    return made;
  }();
  std::uint32_t sum = ~before;
  for (const char byte : bytes) sum = sum >> 8U ^ table[(sum ^ static_cast<std::uint8_t>(byte)) & 0xffU];
  return ~sum;
}

}  // namespace brood
