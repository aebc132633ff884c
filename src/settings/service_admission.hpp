// SPDX-License-Identifier: MIT
// The settings of a service that say which clients come in.
#pragma once

#include "settings/configuration.hpp"

namespace brood {

void add_admission_settings(Settings& settings, AdmissionSettings& admission);
// Also compiles the rules. `service`: as it works, see in_effect().
void check_admission(AdmissionSettings& admission, const ServiceConfiguration& service,
                     SettingsReader& reader);
// Adds the users that rules name, as they were found.
void add_users(Lookups& to, const AdmissionSettings& admission);

}  // namespace brood
