// SPDX-License-Identifier: MIT
// Whether the memory of the server's cgroup is enough for all the children that max-clients permits. Parent
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brood {

struct MemoryNeed {
  std::string service;
  unsigned max_clients;
  std::uint64_t of_child;  // bytes
};

// A warning; "": it is enough, or there is no limit. `parent`: the bytes of the parent. Pure.
std::string memory_warning(const std::vector<MemoryNeed>& needs, std::uint64_t parent,
                           std::optional<std::uint64_t> limit);

// What a child adds to what there is, when it has just begun to serve. Pure. `forked`: the parent's pages are
// among those of the child, and shared. With the kernel's own for a process.
std::uint64_t memory_of_child(std::uint64_t its, std::uint64_t parent, bool forked);

}  // namespace brood
