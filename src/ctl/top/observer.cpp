// SPDX-License-Identifier: MIT
#include "ctl/top/observer.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "scoreboard/report/verdict.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {

void Observer::look(Model& model) const {
  try {
    model = after(model, read_scoreboard(scoreboard_), Clock::now());
    const Verdict verdict = judge(model.snapshot);
    model.level = name_of(verdict.level);
    for (const auto& problem : verdict.problems) model.problems.push_back(problem.sentence());
  } catch (const Failure& failure) {
    if (model.snapshot.name.empty()) throw;
    model.trouble = harmless(failure.what());
  }
}

void Observer::look_at_processes(Model& model, const View& view, std::size_t room) {
  const bool all = view.sort == Column::cpu || view.sort == Column::memory;
  std::vector<pid_t> pids;
  std::size_t at = 0;
  for (const Row& row : rows_of(model, view)) {
    const bool shown = at >= view.top && at < view.top + room;
    if ((all || shown) && row.slot->pid > 0) pids.push_back(row.slot->pid);
    ++at;
  }
  model.processes = processes_.look(pids, Clock::now());
}

}  // namespace brood::ctl
