// SPDX-License-Identifier: MIT
#include "pool/memory_need.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "child/memory_limit.hpp"

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

std::uint64_t anonymous_memory_of(pid_t pid) {
  const Descriptor file(::open(text("/proc/", pid, "/statm").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> buffer{};
  const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
  if (size <= 0) return 0;
  return anonymous_memory({buffer.data(), static_cast<std::size_t>(size)},
                          static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)))
      .value_or(0);
}

std::uint64_t memory_of_child(std::uint64_t its, std::uint64_t parent, bool forked) {
  return of_kernel + (forked ? its - std::min(its, parent) : its);
}

}  // namespace brood
