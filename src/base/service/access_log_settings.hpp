// SPDX-License-Identifier: MIT
// The settings access-log and access-log-format of a service.
#pragma once

#include <cstdint>
#include <string>

namespace brood {

enum class AccessLogFormat : std::uint8_t { keys, json };

struct AccessLogSettings {
  std::string path;  // "": there is none
  AccessLogFormat format = AccessLogFormat::keys;

  bool operator==(const AccessLogSettings&) const = default;
};

}  // namespace brood
