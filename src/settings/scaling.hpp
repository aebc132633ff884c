// SPDX-License-Identifier: MIT
// Which settings `broodctl scale` can change while the server runs.
#pragma once

#include "settings/configuration.hpp"

namespace brood {

// Throws ConfigurationError if a setting cannot be scaled, or has no effect in this service.
void check_scalable(const ScaledSettings& scaled, const ServiceConfiguration& service);
GivenSettings given_by(const ScaledSettings& scaled);

}  // namespace brood
