// SPDX-License-Identifier: MIT
// Prints the parent's answer for people.
#pragma once

#include <span>
#include <string>

#include "base/wire_record.hpp"

namespace brood::ctl {

// One line for each record, but for the services that a reload has left as they were. Throws Error if a
// record lacks a field.
std::string sentences(const std::string& order, std::span<const WireRecord> answer);

}  // namespace brood::ctl
