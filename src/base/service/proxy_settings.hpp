// SPDX-License-Identifier: MIT
// The settings proxy-from and proxy-timeout of a service.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

class Address;

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
  struct Network {
    std::array<std::uint8_t, 16> bytes{};
    unsigned size = 0, prefix = 0;  // bytes; bits
  };
  static Network parse(std::string_view word);

  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace brood
