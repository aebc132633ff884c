// SPDX-License-Identifier: MIT
#include "scoreboard/history/past_reader.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "scoreboard/history/past_sums.hpp"
#include "scoreboard/history/seconds.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int history_attempts = 100;
constexpr std::uint64_t most_counted = std::uint64_t{1} << 40U;  // of anything; more is nonsense

std::uint64_t counted(const Shared<std::uint64_t>& number) {
  return std::min(number.load(relaxed), most_counted);
}

nanoseconds time_since(std::int64_t then, Time now) {
  return nanoseconds(std::max<std::int64_t>(to_nanoseconds(now) - then, 0));
}

template <std::size_t size>
std::string word_of(const std::array<char, size>& word) {
  return escape(std::string_view(word.data(), ::strnlen(word.data(), size)));
}

// Calls take() with each whole entry, the oldest first.
template <typename Entry, std::size_t places, typename Take>
void read_entries(const Shared<std::uint64_t>& written, const std::array<Entry, places>& entries,
                  const Take& take) {
  const std::uint64_t last = written.load(std::memory_order_acquire);
  for (std::uint64_t number = last > places ? last - places + 1 : 1; number <= last; ++number) {
    const Entry& entry = entries[(number - 1) % places];
    if (entry.number.load(std::memory_order_acquire) != number) continue;
    const auto copy = take(entry);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (entry.number.load(relaxed) == number) copy();
  }
}

void read_decisions(const JournalTable& journal, Time now, std::vector<DecisionSnapshot>& to) {
  read_entries(journal.written, journal.entries, [&](const JournalEntry& from) {
    return [&to, read = DecisionSnapshot{.number = from.number.load(relaxed),
                                         .ago = time_since(from.at, now),
                                         .kind = from.kind < decision_names.size()
                                                     ? static_cast<DecisionKind>(from.kind)
                                                     : DecisionKind::none,
                                         .count = from.count,
                                         .pid = from.pid,
                                         .slot = from.slot,
                                         .value = from.value,
                                         .word = word_of(from.word),
                                         .total = from.seen.total,
                                         .starting = from.seen.starting,
                                         .idle = from.seen.idle,
                                         .busy = from.seen.busy,
                                         .leaving = from.seen.leaving,
                                         .outdated = from.seen.outdated,
                                         .waiting = from.seen.waiting,
                                         .generation = from.generation,
                                         .start_servers = from.start_servers,
                                         .min_spare_servers = from.min_spare_servers,
                                         .max_spare_servers = from.max_spare_servers,
                                         .max_clients = from.max_clients}] { to.push_back(read); };
  });
}

void read_ends(const JournalTable& journal, Time now, std::vector<EndSnapshot>& to) {
  read_entries(journal.ends_written, journal.ends, [&](const EndEntry& from) {
    return [&to,
            read = EndSnapshot{
                .number = from.number.load(relaxed),
                .ago = time_since(from.at, now),
                .age = nanoseconds(std::max<std::int64_t>(from.at - from.forked_at, 0)),
                .pid = from.pid,
                .slot = from.slot,
                .generation = from.generation,
                .accepted = std::min(from.accepted, most_counted),
                .finished = std::min(from.finished, most_counted),
                .started_by = from.started_by,
                .told_by = from.told_by,
                .reason = from.reason < reason_names.size() ? static_cast<Reason>(from.reason) : Reason::none,
                .failed = from.failed != 0,
                .by_signal = from.code != CLD_EXITED,
                .status = from.status}] { to.push_back(read); };
  });
}

// What rows hold back changes hands when a child begins a new second.
std::uint64_t seconds_of(std::span<const Slot> rows) {
  std::uint64_t sum = 0;
  for (const Slot& row : rows) sum += row.past.in_history.second.load(relaxed);
  return sum;
}

std::uint32_t clipped(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX));
}

std::vector<SecondSnapshot> read_seconds(const PastTables& tables, std::uint32_t present) {
  std::vector<SecondSnapshot> all(history_seconds);
  const std::uint32_t first = present - std::min<std::uint32_t>(present, history_seconds - 1);
  for (std::uint32_t second = first; second <= present; ++second) {
    const Second& from = place_of(tables.history, second);
    all[history_seconds - 1 - (present - second)] = {
        .finished = value_in(from.finished, second),
        .failed = value_in(from.failed, second),
        .timed_out = value_in(from.timed_out, second),
        .probes = value_in(from.probes, second),
        .aborted = value_in(from.aborted, second),
        .duration = milliseconds(value_in(from.milliseconds, second)),
        .longest_wait = milliseconds(value_in(from.longest_wait, second)),
        .most_busy = value_in(from.most_busy, second)};
  }
  for (const Slot& row : tables.rows) {
    const Unseen unseen = unseen_of(row);
    if (!in_history(unseen.second, present)) continue;
    SecondSnapshot& to = all[history_seconds - 1 - (present - unseen.second)];
    to.finished = clipped(to.finished + std::min(unseen.finished, most_counted));
    to.failed = clipped(to.failed + std::min(unseen.failed, most_counted));
    to.timed_out = clipped(to.timed_out + std::min(unseen.timed_out, most_counted));
    to.probes = clipped(to.probes + std::min(unseen.probes, most_counted));
    to.duration += milliseconds(clipped(unseen.milliseconds));
    to.most_busy = std::max(to.most_busy, unseen.most_busy);
  }
  return all;
}

void read_history(const PastTables& tables, Time now, std::vector<SecondSnapshot>& to) {
  const std::uint32_t present = second_of(to_nanoseconds(now));
  for (int i = 0; i < history_attempts; ++i) {
    const std::uint64_t before = seconds_of(tables.rows);
    std::atomic_thread_fence(std::memory_order_acquire);
    to = read_seconds(tables, present);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (seconds_of(tables.rows) == before) return;
  }
}

void add_to_waits(const WaitFigures& from, ServiceSnapshot& to) {
  constexpr std::uint32_t most_waiting = 1U << 20U;
  to.longest_wait = std::max(to.longest_wait, milliseconds(std::min(from.longest.load(relaxed), 1U << 31U)));
  if (const std::uint32_t seen = from.most_waiting.load(relaxed); seen <= most_waiting)
    to.most_waiting = std::max(to.most_waiting, seen);
  to.wait += milliseconds(counted(from.milliseconds));
  for (std::size_t i = 0; i < from.longer.size(); ++i) to.waits[i + 1] += counted(from.longer[i]);
}

void read_waits(const PastTables& tables, ServiceSnapshot& to) {
  to.waiting = tables.service.waiting.load(relaxed);
  to.most_waiting = std::max(to.waiting, tables.service.most_waiting.load(relaxed));
  add_to_waits(tables.service.waits_gone, to);
  for (const Slot& row : tables.rows) add_to_waits(row.past.waits, to);
  std::uint64_t longer = 0;
  for (std::size_t i = 1; i < wait_buckets; ++i) longer += to.waits[i];
  const std::uint64_t all = to.total.accepted + to.uncounted + to.total.early_probes + to.total.refused_proxy;
  to.waits[0] = all > longer ? all - longer : 0;
}

// The children that were busy at once have each added the time. So the sum is divided by their number.
void read_busy_times(const PastTables& tables, Time now, ServiceSnapshot& to) {
  const auto age = static_cast<std::uint64_t>(time_since(tables.service.created_at, now).count());
  std::vector<std::uint64_t> sums(tables.busy_times.size());
  const auto add_to = [&](std::uint32_t busy, std::uint64_t time) {
    if (busy < sums.size()) sums[busy] = std::min(sums[busy] + std::min(time, age), age * busy);
  };
  for (std::uint32_t busy = 1; busy < sums.size(); ++busy)
    sums[busy] = std::min(tables.busy_times[busy].load(relaxed), age * busy);
  for (const Slot& row : tables.rows) {
    for (const BusyLevel& level : row.past.levels)
      add_to(level.busy.load(relaxed), level.nanoseconds.load(relaxed));
    const std::uint32_t level = row.past.level.load(relaxed);
    if (level != 0 && row.open_connections.load(relaxed) > 0)
      add_to(level, static_cast<std::uint64_t>(
                        time_since(std::max<std::int64_t>(row.since.load(relaxed), 0), now).count()));
  }
  std::uint64_t all = 0;
  std::size_t used = 1;
  for (std::size_t busy = 1; busy < sums.size(); ++busy) {
    sums[busy] /= busy;
    all += sums[busy];
    if (sums[busy] != 0) used = busy + 1;
  }
  sums[0] = age > all ? age - all : 0;
  to.busy_times.clear();
  for (std::size_t busy = 0; busy < used; ++busy)
    to.busy_times.emplace_back(static_cast<std::int64_t>(sums[busy]));
}

}  // namespace

void read_past(const PastTables& tables, Time now, ServiceSnapshot& to) {
  read_decisions(tables.journal, now, to.decisions);
  read_ends(tables.journal, now, to.ends);
  read_history(tables, now, to.history);
  read_waits(tables, to);
  read_busy_times(tables, now, to);
  const auto most = static_cast<std::uint32_t>(tables.rows.size());
  to.most_busy = std::min(std::max(tables.service.most_busy.load(relaxed), to.busy), most);
  for (const Slot& row : tables.rows)
    if (const std::uint32_t seen = row.past.most_busy.load(relaxed); seen <= most)
      to.most_busy = std::max(to.most_busy, seen);
  to.failed_warning = tables.service.failed_warning.load(relaxed);
  to.failed_critical = tables.service.failed_critical.load(relaxed);
  to.wait_warning = milliseconds(tables.service.wait_warning.load(relaxed));
  to.wait_critical = milliseconds(tables.service.wait_critical.load(relaxed));
  for (const auto& inode : tables.service.listener_inodes)
    if (const std::uint64_t number = inode.load(relaxed); number != 0) to.listener_inodes.push_back(number);
}

}  // namespace brood
