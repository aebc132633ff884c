// SPDX-License-Identifier: MIT
#include "scoreboard/history/past_sums.hpp"

#include "scoreboard/history/seconds.hpp"

namespace brood {
namespace {

std::uint64_t more(const Shared<std::uint64_t>& now, const Shared<std::uint64_t>& before) {
  const std::uint64_t later = now.load(relaxed), earlier = before.load(relaxed);
  return later > earlier ? later - earlier : 0;
}

void add_waits(const Slot& row, WaitFigures& to) {
  constexpr std::uint32_t most_waiting = 1U << 20U;
  const WaitFigures& from = row.past.waits;
  const std::uint64_t accepted = row.figures.accepted.load(relaxed), longest = from.longest.load(relaxed);
  std::uint64_t all = 0;
  for (const auto& bucket : from.longer) all += std::min(bucket.load(relaxed), accepted + 1);
  if (all > accepted || from.milliseconds.load(relaxed) > accepted * longest ||
      from.most_waiting.load(relaxed) > most_waiting)
    return;
  raise(to.longest, static_cast<std::uint32_t>(longest));
  raise(to.most_waiting, from.most_waiting.load(relaxed));
  add(to.milliseconds, from.milliseconds.load(relaxed));
  for (std::size_t i = 0; i < to.longer.size(); ++i) add(to.longer[i], from.longer[i].load(relaxed));
}

void add_busy_times(const Slot& row, Lifetime lifetime, std::span<Shared<std::uint64_t>> to) {
  const std::int64_t alive = lifetime.to - lifetime.from;
  for (const BusyLevel& level : row.past.levels) {
    const std::uint64_t time = level.nanoseconds.load(relaxed);
    const std::uint32_t busy = level.busy.load(relaxed);
    if (alive > 0 && time <= static_cast<std::uint64_t>(alive) && busy < to.size())
      to[busy].fetch_add(time, relaxed);
  }
}

}  // namespace

Unseen unseen_of(const Slot& row) {
  const InHistory& seen = row.past.in_history;
  return {.second = static_cast<std::uint32_t>(seen.second.load(relaxed)),
          .finished = more(row.figures.finished, seen.finished),
          .failed = more(row.figures.failed, seen.failed),
          .timed_out = more(row.figures.timed_out, seen.timed_out),
          .probes = more(row.figures.probes, seen.probes),
          .milliseconds = more(row.figures.duration, seen.duration) / 1000,
          .most_busy = seen.most_busy.load(relaxed)};
}

void add_unseen(const Slot& row, HistoryTable& to) {
  const Unseen unseen = unseen_of(row);
  Second& place = place_of(to, unseen.second);
  add_in(place.finished, unseen.second, unseen.finished);
  add_in(place.failed, unseen.second, unseen.failed);
  add_in(place.timed_out, unseen.second, unseen.timed_out);
  add_in(place.probes, unseen.second, unseen.probes);
  add_in(place.milliseconds, unseen.second, unseen.milliseconds);
  raise_in(place.most_busy, unseen.second, unseen.most_busy);
}

void add_past(const Slot& row, Lifetime lifetime, ServiceOrders& service, HistoryTable& history,
              std::span<Shared<std::uint64_t>> busy_times) {
  if (in_history(unseen_of(row).second, second_of(lifetime.to))) add_unseen(row, history);
  add_waits(row, service.waits_gone);
  add_busy_times(row, lifetime, busy_times);
  if (const std::uint32_t busy = row.past.most_busy.load(relaxed); busy < busy_times.size())
    raise(service.most_busy, busy);
}

void clear(PastOfChild& past) {
  past.waits.longest.store(0, relaxed);
  past.waits.most_waiting.store(0, relaxed);
  past.waits.milliseconds.store(0, relaxed);
  for (auto& bucket : past.waits.longer) bucket.store(0, relaxed);
  InHistory& seen = past.in_history;
  for (auto* word :
       {&seen.second, &seen.finished, &seen.failed, &seen.timed_out, &seen.probes, &seen.duration})
    word->store(0, relaxed);
  seen.most_busy.store(0, relaxed);
  past.level.store(0, relaxed);
  for (BusyLevel& level : past.levels) {
    level.busy.store(0, relaxed);
    level.nanoseconds.store(0, relaxed);
  }
  past.most_busy.store(0, relaxed);
}

}  // namespace brood
