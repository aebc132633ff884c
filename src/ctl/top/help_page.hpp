// SPDX-License-Identifier: MIT
// The page that the key h shows.
#pragma once

#include <string>
#include <vector>

namespace brood::ctl {

std::vector<std::string> help_page();

}  // namespace brood::ctl
