// SPDX-License-Identifier: MIT
// Answers as JSON for programs: all of a snapshot, and the verdict; or what came of an order. Keys are
// stable; each names its unit.
#pragma once

#include <span>
#include <string>

#include "base/wire_record.hpp"
#include "brood/snapshot.hpp"
#include "verdict.hpp"

namespace brood::ctl {

// ASCII alone: what is no valid UTF-8 becomes U+FFFD, and what is no ASCII is escaped.
std::string to_json(const Snapshot& snapshot, const Verdict& verdict, const std::string& path);
std::string list_as_json(const Snapshot& snapshot);
// Of an order: the verb, what was answered, and `done`.
std::string to_json(const std::string& verb, std::span<const WireRecord> answer);

}  // namespace brood::ctl
