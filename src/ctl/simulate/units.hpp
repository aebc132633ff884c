// SPDX-License-Identifier: MIT
// Times with a fraction, and shares, as the options of simulate have them.
#pragma once

#include <string>
#include <string_view>

#include "brood/setting_type.hpp"

namespace brood::ctl {

// "200us", "0.5ms", "1.5s", "10m", "0". Throws Error.
double parse_seconds(std::string_view written);
SettingType<double> seconds_type();
SettingType<double> share_type();  // "1%" is 0.01

}  // namespace brood::ctl
