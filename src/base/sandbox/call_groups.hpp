// SPDX-License-Identifier: MIT
// The system calls that children may make in a sandbox: the base set, which every child model needs, and the
// groups that sandbox-allow adds. Names are those of the manual pages; the list knows nothing of the kernel.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

struct CallGroup {
  std::string_view name;  // "@files"
  std::string_view what;  // for people
  std::span<const std::string_view> calls;
};

// Which of their arguments the base set allows is in call_filter.cpp.
std::span<const std::string_view> base_calls();
std::span<const CallGroup> call_groups();

const CallGroup* find_group(std::string_view name);  // nullptr: there is none
// What to write into sandbox-allow for this call: the group that has it, or its own name.
std::string_view allowed_by(std::string_view call);

}  // namespace brood
