// SPDX-License-Identifier: MIT
// The settings proxy-from and proxy-timeout of a service.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/service/access_rules.hpp"
#include "brood/address.hpp"

namespace brood {

struct ProxySettings {
  std::vector<std::string> from = {"127.0.0.0/8 ::1 unix"};
  std::chrono::milliseconds timeout{3000};

  bool operator==(const ProxySettings&) const = default;
};

// From whom a PROXY header is believed.
class ProxySenders {
 public:
  // Networks, addresses and "unix", with blanks between. Throws ConfigurationError: "'…' is not …".
  explicit ProxySenders(const std::vector<std::string>& written);

  bool contain(const Address& sender) const;

 private:
  AccessRules networks_;
  bool unix_ = false;
};

}  // namespace brood
