// SPDX-License-Identifier: MIT
#include "base/service/proxy_settings.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "brood/address.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr unsigned bits_per_byte = 8;

bool same_bits(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
  const unsigned whole = bits / bits_per_byte, rest = bits % bits_per_byte;
  if (std::memcmp(a, b, whole) != 0) return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (bits_per_byte - rest)) == 0;
}

}  // namespace

ProxySenders::ProxySenders(const std::vector<std::string>& written) {
  for (const auto& line : written)
    for (const auto word : split(line, ' ')) {
      if (word == "unix")
        unix_ = true;
      else if (!word.empty())
        networks_.push_back(parse(word));
    }
}

ProxySenders::Network ProxySenders::parse(std::string_view word) {
  Network network;
  const auto slash = word.find('/');
  const std::string address(word.substr(0, slash));
  const bool ipv6 = address.find(':') != std::string::npos;
  network.size = ipv6 ? sizeof(in6_addr) : sizeof(in_addr);
  network.prefix = network.size * bits_per_byte;
  const bool good = ::inet_pton(ipv6 ? AF_INET6 : AF_INET, address.c_str(), network.bytes.data()) == 1;
  const auto prefix =
      slash == std::string_view::npos ? network.prefix : parse_number<unsigned>(word.substr(slash + 1));
  if (!good || !prefix || *prefix > network.prefix)
    throw ConfigurationError(
        text('\'', word, "' is not a network as 10.0.0.0/8 or fd00::/8, an address or 'unix'"));
  network.prefix = *prefix;
  return network;
}

bool ProxySenders::contain(const Address& sender) const {
  const Address address = sender.unmapped();
  if (address.family() == Address::Family::unix_socket) return unix_;
  const std::uint8_t* bytes = nullptr;
  unsigned size = 0;
  if (address.family() == Address::Family::ipv4) {
    bytes = reinterpret_cast<const std::uint8_t*>(
        &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr);
    size = sizeof(in_addr);
  } else if (address.family() == Address::Family::ipv6) {
    bytes = reinterpret_cast<const std::uint8_t*>(
        &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr);
    size = sizeof(in6_addr);
  }
  if (bytes == nullptr) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return network.size == size && same_bits(network.bytes.data(), bytes, network.prefix);
  });
}

}  // namespace brood
