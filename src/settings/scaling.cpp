// SPDX-License-Identifier: MIT
#include "settings/scaling.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using SettingNames = std::vector<std::string>;

const SettingNames of_all = {"start-servers",    "min-spare-servers",  "max-spare-servers",
                             "max-clients",      "idle-timeout",       "max-requests-per-child",
                             "graceful-timeout", "connection-timeout", "slow-timeout"};
const SettingNames of_many_connections = {"max-connections-per-child", "connection-idle-timeout"};
// The other limits have no effect on processes that do not use the scoreboard.
const SettingNames of_listeners = {"start-servers", "graceful-timeout"};

SettingNames scalable(const ServiceConfiguration& service) {
  if (service.model.command && service.command.takes_listeners()) return of_listeners;
  SettingNames names = of_all;
  if (service.model.many_connections)
    names.insert(names.end(), of_many_connections.begin(), of_many_connections.end());
  return names;
}

}  // namespace

void check_scalable(const ScaledSettings& scaled, const ServiceConfiguration& service) {
  const SettingNames names = scalable(service);
  for (const auto& [name, value] : scaled)
    if (std::ranges::find(names, name) == names.end())
      throw ConfigurationError(text("scale: '", escape(name), "' is not a setting of ", service.name,
                                    " that can be scaled", did_you_mean(name, names)));
}

GivenSettings given_by(const ScaledSettings& scaled) {
  GivenSettings given;
  for (const auto& [name, value] : scaled) given[name] = {.values = {value}, .where = "scale"};
  return given;
}

}  // namespace brood
