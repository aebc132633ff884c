// SPDX-License-Identifier: MIT
#include "base/text/version.hpp"

#include "base/text.hpp"

namespace brood {

const std::string_view kit_version = BROOD_VERSION;

std::string version_line(std::string_view program, std::string_view own) {
  if (own.empty()) return text(program, ' ', kit_version, '\n');
  return text(program, ' ', own, " (brood ", kit_version, ")\n");
}

}  // namespace brood
