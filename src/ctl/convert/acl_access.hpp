// SPDX-License-Identifier: MIT
// access_allow of acl's templates: ranges of IPv4 addresses.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace brood::ctl {

// "10.0.0.1:10.0.0.3, 127.0.0.1" -> 10.0.0.1/32, 10.0.0.2/31, 127.0.0.1/32: the networks that make up the
// ranges, as the setting allow has them. Empty: something in it is no range.
std::optional<std::vector<std::string>> networks_of_ranges(const std::string& written);

}  // namespace brood::ctl
