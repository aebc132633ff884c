// SPDX-License-Identifier: MIT
#include "ctl/top/processes.hpp"

#include <unistd.h>

#include <utility>

#include "base/process.hpp"

namespace brood::ctl {

std::map<pid_t, ProcessFigures> Processes::look(std::span<const pid_t> pids,
                                                std::chrono::steady_clock::time_point now) {
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::map<pid_t, ProcessFigures> all;
  std::map<pid_t, Seen> seen;
  for (const pid_t pid : pids) {
    const auto stat = stat_of(pid);
    const auto memory = anonymous_memory_of(pid);
    if (!stat || !memory) continue;
    const std::chrono::duration<double> used(static_cast<double>(stat->ticks) / ticks);
    const Seen is{.start_time = stat->start_time, .used = used, .at = now};
    ProcessFigures figures{.memory_bytes = *memory};
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
