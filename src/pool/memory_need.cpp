// SPDX-License-Identifier: MIT
#include "pool/memory_need.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace brood {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib;
// Its stack in the kernel, its page tables, and the like.
constexpr std::uint64_t of_kernel = 128 * kib;

std::string in_mib(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes * 10 / mib;
  return tenths < 100 ? text(tenths / 10, '.', tenths % 10, " MiB") : text(bytes / mib, " MiB");
}

}  // namespace

std::string memory_warning(const std::vector<MemoryNeed>& needs, std::uint64_t parent,
                           std::optional<std::uint64_t> limit) {
  std::uint64_t sum = parent;
  std::string each;
  for (const auto& [service, max_clients, of_child] : needs) {
    sum += max_clients * of_child;
    each += text(each.empty() ? "" : ", ", service, " ", max_clients, " x ", in_mib(of_child));
  }
  if (!limit || sum <= *limit) return "";
  return text("max-clients children need ", in_mib(sum), " or more (", each,
              "), and the cgroup has memory.max = ", in_mib(*limit),
              ": lower max-clients, or raise that limit");
}

std::uint64_t memory_of_child(std::uint64_t its, std::uint64_t parent, bool forked) {
  return of_kernel + (forked ? its - std::min(its, parent) : its);
}

}  // namespace brood
