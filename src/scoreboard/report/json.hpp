// SPDX-License-Identifier: MIT
// Prints JSON for programs: a snapshot with its verdict, the services, or the answer to an order. Keys are
// stable; a key of a quantity names its unit.
#pragma once

#include <span>
#include <string>

#include "base/wire_record.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood {

enum class JsonLines { many, one };  // for people, or as short as can be

// The output is ASCII: other characters are escaped, and invalid UTF-8 becomes U+FFFD.
std::string to_json(const Snapshot& snapshot, const Verdict& verdict, const std::string& path,
                    JsonLines lines = JsonLines::many);
std::string list_as_json(const Snapshot& snapshot);
// The answer to an order. The last record is `done`.
std::string to_json(const std::string& order, std::span<const WireRecord> answer);

}  // namespace brood
