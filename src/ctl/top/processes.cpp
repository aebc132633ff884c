// SPDX-License-Identifier: MIT
#include "ctl/top/processes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"

namespace brood::ctl {
namespace {

std::string read_file(pid_t pid, std::string_view name) {
  const Descriptor file(::open(text("/proc/", pid, '/', name).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 2048> buffer{};
  const ssize_t size = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

std::uint64_t field(const std::vector<std::string_view>& fields, std::size_t index) {
  return index < fields.size() ? parse_number<std::uint64_t>(trim(fields[index])).value_or(0) : 0;
}

}  // namespace

std::map<pid_t, ProcessFigures> Processes::look(std::span<const pid_t> pids,
                                                std::chrono::steady_clock::time_point now) {
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::map<pid_t, ProcessFigures> all;
  std::map<pid_t, Seen> seen;
  for (const pid_t pid : pids) {
    const auto stat = stat_of(pid);
    const std::string statm = read_file(pid, "statm");
    if (!stat || statm.empty()) continue;
    const auto pages = split(statm, ' ');
    const std::chrono::duration<double> used(static_cast<double>(stat->ticks) / ticks);
    const Seen is{.start_time = stat->start_time, .used = used, .at = now};
    const std::uint64_t resident = field(pages, 1), of_files = field(pages, 2);
    ProcessFigures figures{.memory_bytes = (resident - std::min(resident, of_files)) * page};
    const auto was = seen_.find(pid);
    if (was != seen_.end() && was->second.start_time == is.start_time && was->second.at < now)
      figures.processors = (is.used - was->second.used) / std::chrono::duration<double>(now - was->second.at);
    all.emplace(pid, figures);
    seen.emplace(pid, is);
  }
  seen_ = std::move(seen);
  return all;
}

}  // namespace brood::ctl
