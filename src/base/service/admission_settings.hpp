// SPDX-License-Identifier: MIT
// The settings of a service that say which clients come in.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/service/access_rules.hpp"

namespace brood {

// A client may begin so many connections in `period`; 0: there is no limit.
struct ClientRate {
  unsigned connections = 0;
  std::chrono::milliseconds period{1000};

  bool operator==(const ClientRate&) const = default;
};

enum class OnOverload : std::uint8_t { wait, refuse };

struct AdmissionSettings {
  std::vector<AccessRule> rules;
  std::shared_ptr<const AccessRules> compiled;  // made of `rules` in the parent, for all children

  unsigned most_connections = 0;  // of a client, at once; 0: no limit
  ClientRate rate;
  unsigned burst = 0;  // 0: the number of `rate`
  unsigned ipv4_prefix = 32, ipv6_prefix = 64;
  OnOverload on_overload = OnOverload::wait;
  unsigned overload_queue = 0;           // with OnOverload::refuse; 0: as many as can be served at once
  std::string refusal_written, refusal;  // with and without escapes

  bool counts_clients() const { return most_connections != 0 || rate.connections != 0; }
  bool decides() const { return !rules.empty() || counts_clients() || on_overload == OnOverload::refuse; }
};

// "10/s", "100/min", "1000/h"; "0". Throws ConfigurationError.
ClientRate parse_client_rate(const std::string& written);
std::string write_client_rate(const ClientRate& rate);

inline constexpr std::size_t longest_refusal = 512;
// Replaces \r, \n, \t and \\. Throws ConfigurationError.
std::string parse_refusal(const std::string& written);

}  // namespace brood
