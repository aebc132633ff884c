// SPDX-License-Identifier: MIT
// What the cgroup of this process permits: how much of the CPUs, and how much memory. Version 2 alone; where
// there is none, nothing is limited. The files are the kernel's: reading them waits for no disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood {

// ---- pure
// Of /proc/self/cgroup: "/system.slice/brood.service"; "/" in a namespace of its own; empty: there is none.
std::optional<std::string> cgroup_path(std::string_view memberships);
// Of cpu.max: "150000 100000" is 1.5. Empty: no limit, or it is something else.
std::optional<double> parse_cpu_max(std::string_view content);
// Of memory.max, in bytes. The same.
std::optional<std::uint64_t> parse_memory_max(std::string_view content);
// How many CPUs a process can keep busy that may run on so many.
unsigned usable_cpus(unsigned may_run_on, std::optional<double> cpu_max);

// ---- of this process
struct CgroupLimits {
  std::optional<double> cpus;
  std::optional<std::uint64_t> memory;
};
// The smallest of its cgroup and of those above it.
CgroupLimits limits_of_cgroup();
unsigned usable_cpus();

}  // namespace brood
