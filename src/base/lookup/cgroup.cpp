// SPDX-License-Identifier: MIT
#include "base/lookup/cgroup.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "brood/descriptor.hpp"

namespace brood {
namespace {

constexpr const char* mounted_at = "/sys/fs/cgroup";

std::string content_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 4096> buffer{};
  const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

std::string_view first_line(std::string_view content) { return content.substr(0, content.find('\n')); }

template <typename T>
void lower(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

}  // namespace

std::optional<std::string> cgroup_path(std::string_view memberships) {
  constexpr std::string_view version_2 = "0::/";
  for (const auto line : split(memberships, '\n'))
    if (line.starts_with(version_2)) return std::string(line.substr(version_2.size() - 1));
  return {};
}

std::optional<double> parse_cpu_max(std::string_view content) {
  const auto words = split(first_line(content), ' ');
  if (words.size() != 2) return {};
  const auto quota = parse_number<std::uint64_t>(words[0]);
  const auto period = parse_number<std::uint64_t>(words[1]);
  if (!quota || !period || *quota == 0 || *period == 0) return {};
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::uint64_t> parse_memory_max(std::string_view content) {
  return parse_number<std::uint64_t>(first_line(content));
}

unsigned usable_cpus(unsigned may_run_on, std::optional<double> cpu_max) {
  const unsigned all = std::max(may_run_on, 1U);
  if (!cpu_max || *cpu_max >= all) return all;
  return std::max(1U, static_cast<unsigned>(std::ceil(*cpu_max)));
}

CgroupLimits limits_of_cgroup() {
  const auto path = cgroup_path(content_of("/proc/self/cgroup"));
  CgroupLimits limits;
  if (!path) return limits;
  // In a container the path may be that of the host, where this is mounted, or not.
  for (std::string at = *path == "/" ? "" : *path;; at.erase(at.rfind('/'))) {
    const std::string directory = mounted_at + at;
    lower(limits.cpus, parse_cpu_max(content_of(directory + "/cpu.max")));
    lower(limits.memory, parse_memory_max(content_of(directory + "/memory.max")));
    if (at.empty()) return limits;
  }
}

unsigned usable_cpus() {
  cpu_set_t cpus;
  const bool known = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0;
  return usable_cpus(known ? static_cast<unsigned>(CPU_COUNT(&cpus)) : 1, limits_of_cgroup().cpus);
}

}  // namespace brood
