// SPDX-License-Identifier: MIT
// Which settings `broodctl scale` can change while the server runs.
#pragma once

#include <map>
#include <string>

#include "settings/configuration.hpp"

namespace brood {

using ScaledSettings = std::map<std::string, std::string>;  // name and value, as written

// Throws ConfigurationError if a setting cannot be scaled, or has no effect in this service. `service` is the
// result of in_effect().
void check_scalable(const ScaledSettings& scaled, const ServiceConfiguration& service);
// The same values for a table in which the names of the service's settings begin with `prefix`.
GivenSettings given_by(const ScaledSettings& scaled, const std::string& prefix);

}  // namespace brood
