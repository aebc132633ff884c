// SPDX-License-Identifier: MIT
// The parent's answer as people read it.
#pragma once

#include <span>
#include <string>

#include "base/wire_record.hpp"

namespace brood::ctl {

// A line each; all that came from elsewhere is made harmless. Throws Error where something is missing.
std::string sentences(const std::string& verb, std::span<const WireRecord> answer);

}  // namespace brood::ctl
