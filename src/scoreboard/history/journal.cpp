// SPDX-License-Identifier: MIT
#include "scoreboard/history/journal.hpp"

namespace brood {
namespace {

void store_word(std::array<char, journal_word_size>& to, std::string_view from) {
  to.fill('\0');
  from.copy(to.data(), to.size() - 1);
}

// A reader that sees any word of what is written in here does not find the number that it looks for.
template <typename Entry, typename Write>
std::uint64_t write_next(Shared<std::uint64_t>& written, Entry* entries, std::size_t places,
                         const Write& write) {
  const std::uint64_t number = written.load(relaxed) + 1;
  Entry& entry = entries[(number - 1) % places];
  entry.number.store(0, relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  write(entry);
  entry.number.store(number, std::memory_order_release);
  written.store(number, std::memory_order_release);
  return number;
}

}  // namespace

std::uint64_t Journal::note(const Decision& decision) {
  return write_next(table_.written, table_.entries.data(), journal_entries, [&](JournalEntry& entry) {
    entry.at = to_nanoseconds(Clock::now());
    entry.value = decision.value;
    entry.kind = static_cast<std::uint32_t>(decision.kind);
    entry.count = decision.count;
    entry.pid = decision.pid;
    entry.slot = decision.slot;
    entry.seen = table_.seen;
    entry.generation = service_.generation.load(relaxed);
    entry.start_servers = service_.start_servers.load(relaxed);
    entry.min_spare_servers = service_.min_spare_servers.load(relaxed);
    entry.max_spare_servers = service_.max_spare_servers.load(relaxed);
    entry.max_clients = service_.max_clients.load(relaxed);
    store_word(entry.word, decision.word);
  });
}

void Journal::note(const ChildEnded& ended, const Slot& row, const SlotOrders& orders) {
  write_next(table_.ends_written, table_.ends.data(), end_entries, [&](EndEntry& entry) {
    entry.at = to_nanoseconds(Clock::now());
    entry.forked_at = orders.forked_at.load(relaxed);
    entry.accepted = row.figures.accepted.load(relaxed);
    entry.finished = row.figures.finished.load(relaxed);
    entry.started_by = orders.started_by.load(relaxed);
    entry.told_by = orders.told_by.load(relaxed);
    entry.pid = ended.pid;
    entry.slot = ended.slot;
    entry.generation = orders.generation.load(relaxed);
    entry.reason = static_cast<std::uint32_t>(ended.reason);
    entry.code = ended.code;
    entry.status = ended.status;
    entry.failed = ended.failed ? 1 : 0;
  });
}

}  // namespace brood
