// SPDX-License-Identifier: MIT
// Limits that an operator changes while the server runs, beside what the settings say: which those are, and
// for whom. Changes nothing.
#pragma once

#include <map>
#include <string>

#include "settings/configuration.hpp"

namespace brood {

using ScaledSettings = std::map<std::string, std::string>;  // name and value, as written

// Throws ConfigurationError for a setting that can't be changed so, or means nothing to this service, which
// is as in_effect().
void check_scalable(const ScaledSettings& scaled, const ServiceConfiguration& service);
// As values of a table in which the service's settings begin with `prefix`.
GivenSettings given_by(const ScaledSettings& scaled, const std::string& prefix);

}  // namespace brood
