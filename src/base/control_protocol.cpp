// SPDX-License-Identifier: MIT
#include "base/control_protocol.hpp"

#include <filesystem>

namespace brood {

std::string control_path(const std::string& scoreboard) {
  return std::filesystem::path(scoreboard).replace_extension(".control").string();
}

}  // namespace brood
