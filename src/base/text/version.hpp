// SPDX-License-Identifier: MIT
// The version of the kit, from CMakeLists.txt.
#pragma once

#include <string>
#include <string_view>

namespace brood {

extern const std::string_view kit_version;

// What --version prints. `own`: the version of a server that is not the kit's; "": it has none.
std::string version_line(std::string_view program, std::string_view own = "");

}  // namespace brood
