// SPDX-License-Identifier: MIT
#include "ctl/convert/acl_access.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/text.hpp"

namespace brood::ctl {
namespace {

constexpr unsigned address_bits = 32;

std::optional<std::uint32_t> number_of(std::string_view written) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(trim(written)).c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

std::string network(std::uint32_t first, unsigned prefix) {
  const in_addr address{.s_addr = htonl(first)};
  std::array<char, INET_ADDRSTRLEN> name{};
  ::inet_ntop(AF_INET, &address, name.data(), name.size());
  return text(std::string_view(name.data()), '/', prefix);
}

// Each is the largest one that begins there and does not go beyond the last address.
void add_networks(std::uint64_t first, std::uint64_t last, std::vector<std::string>& to) {
  while (first <= last) {
    unsigned bits = first == 0 ? address_bits : static_cast<unsigned>(std::countr_zero(first));
    bits = std::min(bits, static_cast<unsigned>(std::bit_width(last - first + 1)) - 1);
    to.push_back(network(static_cast<std::uint32_t>(first), address_bits - bits));
    first += std::uint64_t{1} << bits;
  }
}

}  // namespace

std::optional<std::vector<std::string>> networks_of_ranges(const std::string& written) {
  std::vector<std::string> networks;
  std::string_view rest = written;
  constexpr std::string_view separators = ",; \t";
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(separators), rest.size()));
    if (rest.empty()) break;
    const std::string_view range = rest.substr(0, rest.find_first_of(separators));
    rest.remove_prefix(range.size());
    const auto colon = range.find(':');
    const auto first = number_of(range.substr(0, colon));
    const auto last = colon == std::string_view::npos ? first : number_of(range.substr(colon + 1));
    if (!first || !last || *first > *last) return {};
    add_networks(*first, *last, networks);
  }
  if (networks.empty()) return {};
  return networks;
}

}  // namespace brood::ctl
