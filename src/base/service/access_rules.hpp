// SPDX-License-Identifier: MIT
// The settings allow and deny of a service: which clients may come in. The first rule that matches decides.
// If none does, a client may come in only if there is no `allow`. Pure.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lookup/identity.hpp"
#include "brood/address.hpp"

namespace brood {

// The family, 4 or 6, and the bytes of the address. One that IPv6 has mapped from IPv4 is of family 4.
using AddressBytes = std::array<std::uint8_t, 17>;

// A network, or all addresses of both families.
struct Network {
  AddressBytes first{};
  unsigned prefix = 0;  // of the bits of `first`, the family included

  bool contains(const AddressBytes& address) const;
};

struct AccessRule {
  enum class Kind : std::uint8_t { all, network, unix_socket, user };

  bool allows = true;
  Kind kind = Kind::all;
  Network network;
  std::string user_name;  // to be looked up; "": `user` is known
  uid_t user = no_user;

  // What the setting `allow` has: "10.0.0.0/8", "uid:1000" ..., and with "deny " in front what `deny` has.
  std::string written() const;
};

// Throws ConfigurationError: what is wrong, as "is not …".
AccessRule parse_access_rule(std::string_view written);

// Empty: the client has no such address.
std::optional<AddressBytes> bytes_of(const Address& address);

class AccessRules {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;  // no rule matches
  struct Verdict {
    bool admits = true;
    std::uint32_t rule = none;
  };

  AccessRules() = default;
  explicit AccessRules(std::span<const AccessRule> rules);

  bool empty() const { return empty_; }
  bool has_users() const { return !users_.empty(); }
  Verdict find(const AddressBytes& address) const;
  // Of a client of a unix socket. no_user: the kernel has not told its user.
  Verdict find(uid_t user) const;

 private:
  // From `first` on, up to the next one.
  struct Range {
    AddressBytes first;
    Verdict verdict;
  };
  struct User {
    uid_t user;
    Verdict verdict;
  };

  bool empty_ = true;
  Verdict otherwise_;          // no rule matches
  Verdict unix_ = otherwise_;  // of the first rule for every client of a unix socket
  std::vector<Range> ranges_;  // in ascending order, disjoint
  std::vector<User> users_;    // in ascending order
};

}  // namespace brood
