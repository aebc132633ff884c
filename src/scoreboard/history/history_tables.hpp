// SPDX-License-Identifier: MIT
// The tables of a scoreboard that tell of the past: what the parent has decided, which children have ended,
// how the last ten minutes were, and how many children were busy for how long.
//
// Journal and ends are written by the parent alone, on its own pages. The seconds and the times of busy
// children are written by all children, with one atomic operation for each word, and at most once a second by
// each child.
#pragma once

#include "brood/scoreboard_types.hpp"
#include "scoreboard/shared.hpp"

namespace brood {

inline constexpr std::size_t journal_entries = 256;
inline constexpr std::size_t end_entries = 128;
inline constexpr std::size_t history_seconds = 600;
inline constexpr std::size_t journal_word_size = 32;

// A service's children and queues, as the parent has counted them at a look.
struct SeenNumbers {
  std::uint32_t total, starting, idle, busy, leaving, outdated, waiting;
};

// An entry is whole if its number is that of its place, before and after it was read.
struct JournalEntry {
  Shared<std::uint64_t> number;  // from 1 on; its place is that of number - 1; 0: is being written
  std::int64_t at;               // nanoseconds of CLOCK_MONOTONIC
  std::int64_t value;            // see DecisionSnapshot
  std::uint32_t kind;            // a DecisionKind
  std::uint32_t count;           // of children
  std::int32_t pid;              // 0: it is about no single child
  std::uint32_t slot;
  SeenNumbers seen;
  // As they were in force:
  std::uint32_t generation, start_servers, min_spare_servers, max_spare_servers, max_clients;
  std::array<char, journal_word_size> word;  // NUL-terminated
};

struct EndEntry {
  Shared<std::uint64_t> number;  // as above
  std::int64_t at, forked_at;
  std::uint64_t accepted, finished;
  std::uint64_t started_by, told_by;  // numbers of entries of the journal; 0: none
  std::int32_t pid;
  std::uint32_t slot, generation;
  std::uint32_t reason;       // a Reason
  std::int32_t code, status;  // of waitid()
  std::uint32_t failed;       // 1: it counts as failed
};

struct alignas(cache_line) JournalTable {
  Shared<std::uint64_t> written, ends_written;
  SeenNumbers seen;  // at the parent's last look
  std::array<JournalEntry, journal_entries> entries;
  std::array<EndEntry, end_entries> ends;
};

// One second of the monotonic clock in the upper half, a number that belongs to it in the lower half. So a
// place that is used again after ten minutes needs no clearing, and a word is always whole.
using SecondWord = Shared<std::uint64_t>;
struct alignas(cache_line) Second {
  SecondWord finished, failed, timed_out, probes, aborted;  // connections that ended in it
  SecondWord milliseconds;                                  // the durations of those finished, together
  SecondWord longest_wait;                                  // in a queue, milliseconds
  SecondWord most_busy;                                     // children
};

struct HistoryTable {
  std::array<Second, history_seconds> seconds;
};

// ---- In the row of a child, which it alone writes

// Time in a listener's queue, of connections that waited for wait_resolution or longer.
struct WaitFigures {
  Shared<std::uint32_t> longest;                               // milliseconds
  Shared<std::uint32_t> most_waiting;                          // connections that were seen in a queue
  Shared<std::uint64_t> milliseconds;                          // together
  std::array<Shared<std::uint64_t>, wait_buckets - 1> longer;  // buckets 1 to the last
};

// The figures as they were when the second began in which the child has changed them last. What was added
// since then is not in the history yet.
struct InHistory {
  Shared<std::uint64_t> second;  // 0: none
  Shared<std::uint64_t> finished, failed, timed_out, probes;
  Shared<std::uint64_t> duration;   // microseconds
  Shared<std::uint32_t> most_busy;  // seen since then
};

// How long the child was busy while exactly `busy` children were, itself among them.
struct BusyLevel {
  Shared<std::uint32_t> busy;
  Shared<std::uint64_t> nanoseconds;
};
inline constexpr std::size_t busy_levels = 8;

// What each connection changes is together, so that it takes few cache lines.
struct PastOfChild {
  InHistory in_history;
  // While it has its only connection: so many children were busy when it came, itself among them. 0: it can
  // have several.
  Shared<std::uint32_t> level;
  std::array<BusyLevel, busy_levels> levels;  // that of `busy` is at busy % busy_levels
  Shared<std::uint32_t> most_busy;            // children, while it had a connection
  WaitFigures waits;
};

}  // namespace brood
