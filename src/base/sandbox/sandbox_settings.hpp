// SPDX-License-Identifier: MIT
// The settings of a service for what its children may ask the kernel for, and what becomes of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sandbox/call_filter.hpp"

namespace brood {

enum class SandboxMode : std::uint8_t { off, log, on };

struct SandboxSettings {
  SandboxMode mode = SandboxMode::off;
  std::vector<std::string> allow;        // as written: each has groups and calls, with blanks between
  std::vector<std::string> read, write;  // as written: each has paths, with blanks between
  // ---- made of them by the check of a service
  std::shared_ptr<const CallFilter> filter;          // nullptr: the mode is off
  std::vector<std::string> read_paths, write_paths;  // absolute, also from the root directory of children

  bool has_paths() const { return mode != SandboxMode::off && !(read_paths.empty() && write_paths.empty()); }
  bool restricts_paths() const { return mode == SandboxMode::on && has_paths(); }
  bool has_paths_of(const SandboxSettings& other) const {
    return mode == other.mode && read_paths == other.read_paths && write_paths == other.write_paths;
  }
};

}  // namespace brood
