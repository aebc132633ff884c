// SPDX-License-Identifier: MIT
#include "scoreboard/report/figures_log.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "scoreboard/report/figures_line.hpp"
#include "scoreboard/scoreboard_reader.hpp"

namespace brood {
namespace {

// As any reader sees it. The mapping is gone afterwards: no child inherits it.
ServiceSnapshot read(const Scoreboard& scoreboard) {
  const ScoreboardReader reader({&scoreboard.descriptors().read_only, 1});
  ServiceSnapshot service = std::move(reader.read_without_wait().services.at(0));
  // What the next line does not need.
  service.slots = {};
  service.history = {};
  service.decisions = {};
  service.ends = {};
  service.busy_times = {};
  return service;
}

FiguresInterval::Activity activity_of(const Scoreboard& scoreboard) {
  const ServiceOrders& service = scoreboard.service();
  FiguresInterval::Activity activity{
      .accepted = service.gone.accepted.load(relaxed),
      .ended = service.gone.finished.load(relaxed) + service.gone.aborted.load(relaxed),
      .children_started = service.children_started.load(relaxed),
      .children_gone = service.children_gone.load(relaxed)};
  for (std::uint32_t i = 0; i < scoreboard.slots(); ++i) {
    if (scoreboard.slot_orders(i).pid.load(relaxed) == 0) continue;
    const Slot& row = scoreboard.slot(i);
    activity.accepted += row.figures.accepted.load(relaxed);
    activity.ended += row.figures.finished.load(relaxed);
    activity.any_open |= row.open_connections.load(relaxed) > 0;
  }
  return activity;
}

}  // namespace

void FiguresLog::begin(const Scoreboard& scoreboard, Time now) {
  interval_ = {.before = read(scoreboard), .activity = activity_of(scoreboard), .since = now};
}

void FiguresLog::write(const Scoreboard& scoreboard, Time now) {
  ServiceSnapshot present = read(scoreboard);
  log_info(figures_line(*interval_.before, present, now - interval_.since));
  interval_.before = std::move(present);
}

Time FiguresLog::look(std::chrono::milliseconds interval, const Scoreboard& scoreboard, Time now) try {
  if (interval.count() == 0) {
    *this = {};
    return never;
  }
  const Time due = interval_.since == Time{} ? now : interval_.since + interval;
  if (!interval_.quiet && now < due) return due;
  if (!interval_.before) {
    begin(scoreboard, now);
    return now + interval;
  }
  const FiguresInterval::Activity activity = activity_of(scoreboard);
  const bool idle = activity == interval_.activity && !activity.any_open;
  if (interval_.quiet && idle) return never;
  if (interval_.quiet) {
    interval_.quiet = false;
    interval_.since = now;  // nothing happened before
    return now + interval;
  }
  write(scoreboard, now);
  interval_.activity = activity;
  interval_.since = now;
  interval_.quiet = idle;
  return idle ? now : now + interval;  // at once, so that the next connection wakes the parent
} catch (const Error& error) {
  log_error(text("service ", scoreboard.service().name.data(),
                 ": can't read its figures: ", std::string_view(error.what())));
  interval_.since = now;
  return now + interval;
}

}  // namespace brood
