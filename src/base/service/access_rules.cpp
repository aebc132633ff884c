// SPDX-License-Identifier: MIT
#include "base/service/access_rules.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr unsigned family_bits = 8, ipv4_bits = 32, ipv6_bits = 128;
constexpr std::string_view deny_word = "deny ";
constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

// With the bits behind the prefix all 0 or all 1.
AddressBytes end_of(AddressBytes address, unsigned prefix, bool ones) {
  for (unsigned byte = prefix / 8; byte < address.size(); ++byte) {
    const unsigned kept = byte == prefix / 8 ? prefix % 8 : 0;
    const auto rest = static_cast<std::uint8_t>(0xffU >> kept);
    auto& its = address.at(byte);
    its = static_cast<std::uint8_t>(ones ? its | rest : its & ~rest);
  }
  return address;
}

// False: there is none.
bool advance(AddressBytes& address) {
  for (std::size_t i = address.size(); i-- > 0;)
    if (++address.at(i) != 0) return true;
  return false;
}

AddressBytes of_family(std::uint8_t family, const void* address, std::size_t size) {
  AddressBytes bytes{family};
  std::memcpy(bytes.data() + 1, address, size);
  return bytes;
}

bool is_mapped(const in6_addr& address) { return std::memcmp(&address, mapped.data(), mapped.size()) == 0; }

AddressBytes bytes_of(const in_addr& address) { return of_family(4, &address, sizeof address); }
AddressBytes bytes_of(const in6_addr& address) {
  if (!is_mapped(address)) return of_family(6, &address, sizeof address);
  return of_family(4, address.s6_addr + mapped.size(), sizeof(in_addr));
}

std::string text_of(const Network& network) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  const bool ipv4 = network.first.front() == 4;
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, network.first.data() + 1, host.data(), host.size());
  const unsigned prefix = network.prefix - family_bits;
  const bool one = prefix == (ipv4 ? ipv4_bits : ipv6_bits);
  return one ? std::string(host.data()) : text(std::string_view(host.data()), '/', prefix);
}

Network parse_network(std::string_view written) {
  const auto slash = written.find('/');
  const std::string host(written.substr(0, slash));
  Network network;
  in_addr ipv4{};
  in6_addr ipv6{};
  const bool is_ipv4 = ::inet_pton(AF_INET, host.c_str(), &ipv4) == 1;
  if (!is_ipv4 && ::inet_pton(AF_INET6, host.c_str(), &ipv6) != 1)
    throw ConfigurationError(
        "is not a network like 192.0.2.0/24 or 2001:db8::/32, an address, all, unix, user:NAME or uid:N");
  const unsigned bits = is_ipv4 ? ipv4_bits : ipv6_bits;
  auto prefix = std::optional(bits);
  if (slash != std::string_view::npos) prefix = parse_number<unsigned>(written.substr(slash + 1));
  if (!prefix || *prefix > bits)
    throw ConfigurationError(text("has a prefix that is not a number from 0 to ", bits));
  if (!is_ipv4 && is_mapped(ipv6) && *prefix >= mapped_bits) {
    network.first = bytes_of(ipv6);
    *prefix -= mapped_bits;
  } else {
    network.first = is_ipv4 ? bytes_of(ipv4) : of_family(6, &ipv6, sizeof ipv6);
  }
  network.prefix = family_bits + *prefix;
  const Network meant{.first = end_of(network.first, network.prefix, false), .prefix = network.prefix};
  if (meant.first != network.first)
    throw ConfigurationError(text("has bits beyond its prefix; did you mean ", text_of(meant), " or ",
                                  text_of({.first = network.first, .prefix = family_bits + bits}), '?'));
  return network;
}

}  // namespace

bool Network::contains(const AddressBytes& address) const { return end_of(address, prefix, false) == first; }

std::string AccessRule::written() const {
  std::string what;
  switch (kind) {
    case Kind::all:
      what = "all";
      break;
    case Kind::network:
      what = text_of(network);
      break;
    case Kind::unix_socket:
      what = "unix";
      break;
    case Kind::user:
      what = user_name.empty() ? text("uid:", user) : "user:" + user_name;
      break;
  }
  return (allows ? "" : std::string(deny_word)) + what;
}

AccessRule parse_access_rule(std::string_view written) {
  AccessRule rule;
  if (written.starts_with(deny_word)) {
    rule.allows = false;
    written = trim(written.substr(deny_word.size()));
  }
  constexpr std::string_view user_word = "user:", uid_word = "uid:";
  if (written == "all") return rule;
  if (written == "unix") {
    rule.kind = AccessRule::Kind::unix_socket;
  } else if (written.starts_with(user_word)) {
    rule.kind = AccessRule::Kind::user;
    rule.user_name = written.substr(user_word.size());
    if (rule.user_name.empty()) throw ConfigurationError("names no user");
  } else if (written.starts_with(uid_word)) {
    rule.kind = AccessRule::Kind::user;
    const auto user = parse_number<uid_t>(written.substr(uid_word.size()));
    if (!user || *user == no_user) throw ConfigurationError("is not the number of a user");
    rule.user = *user;
  } else {
    rule.kind = AccessRule::Kind::network;
    rule.network = parse_network(written);
  }
  return rule;
}

std::optional<AddressBytes> bytes_of(const Address& address) {
  switch (address.family()) {
    case Address::Family::ipv4:
      return bytes_of(reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr);
    case Address::Family::ipv6:
      return bytes_of(reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr);
    case Address::Family::unix_socket:
    case Address::Family::other:
      break;
  }
  return {};
}

// Networks contain one another or have nothing in common. So one pass in the order of their beginnings, with
// those that contain the present place on a stack, yields ranges that each have one answer: that of the first
// rule, by number, on the stack.
AccessRules::AccessRules(std::span<const AccessRule> rules) : empty_(rules.empty()) {
  struct Open {
    AddressBytes first, last;
    std::uint32_t rule;  // the first one, with those around it
  };
  otherwise_.admits = std::ranges::none_of(rules, &AccessRule::allows);
  unix_ = otherwise_;
  const auto verdict_of = [&](std::uint32_t rule) {
    return rule == none ? otherwise_ : Verdict{.admits = rules[rule].allows, .rule = rule};
  };
  std::vector<Open> networks;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const AccessRule& rule = rules[i];
    const bool all = rule.kind == AccessRule::Kind::all;
    if (all || rule.kind == AccessRule::Kind::network)
      networks.push_back({.first = rule.network.first,
                          .last = end_of(rule.network.first, rule.network.prefix, true),
                          .rule = i});
    if (unix_.rule == none && (all || rule.kind == AccessRule::Kind::unix_socket)) unix_ = verdict_of(i);
    if (rule.kind == AccessRule::Kind::user && unix_.rule == none)
      users_.push_back({.user = rule.user, .verdict = verdict_of(i)});
  }
  std::ranges::stable_sort(users_, {}, &User::user);
  const auto same = std::ranges::unique(users_, {}, &User::user);  // the first one of each stays
  users_.erase(same.begin(), same.end());

  std::ranges::sort(networks, [](const Open& a, const Open& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.last != b.last ? a.last > b.last : a.rule < b.rule;
  });
  const auto begin = [&](const AddressBytes& first, std::uint32_t rule) {
    if (!ranges_.empty() && ranges_.back().first == first) ranges_.pop_back();
    if (ranges_.empty() || ranges_.back().verdict.rule != rule)
      ranges_.push_back({.first = first, .verdict = verdict_of(rule)});
  };
  std::vector<Open> around;
  const auto leave = [&] {
    AddressBytes next = around.back().last;
    around.pop_back();
    if (advance(next)) begin(next, around.empty() ? none : around.back().rule);
  };
  begin({}, none);
  for (Open& network : networks) {
    while (!around.empty() && around.back().last < network.first) leave();
    if (!around.empty()) network.rule = std::min(network.rule, around.back().rule);
    begin(network.first, network.rule);
    around.push_back(network);
  }
  while (!around.empty()) leave();
}

AccessRules::Verdict AccessRules::find(const AddressBytes& address) const {
  const auto next = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
  return next == ranges_.begin() ? otherwise_ : std::prev(next)->verdict;
}

AccessRules::Verdict AccessRules::find(uid_t user) const {
  const auto found = std::ranges::lower_bound(users_, user, {}, &User::user);
  return user != no_user && found != users_.end() && found->user == user ? found->verdict : unix_;
}

}  // namespace brood
