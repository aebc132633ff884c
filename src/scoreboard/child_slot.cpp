// SPDX-License-Identifier: MIT
#include "scoreboard/child_slot.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/event_descriptor.hpp"
#include "base/process/process_title.hpp"
#include "scoreboard/row_writing.hpp"

namespace brood {
namespace {

template <std::size_t words>
void store_bytes(std::array<Shared<std::uint64_t>, words>& to, std::span<const std::byte> from) {
  std::array<std::uint64_t, words> padded{};
  if (!from.empty()) std::memcpy(padded.data(), from.data(), std::min(from.size(), sizeof padded));
  for (std::size_t i = 0; i < words; ++i) to[i].store(padded[i], relaxed);
}

// nullptr: it counts as finished alone.
Shared<std::uint64_t>* counter_of(Figures& figures, Outcome outcome) {
  switch (outcome) {
    case Outcome::served:
      break;
    case Outcome::failed:
      return &figures.failed;
    case Outcome::peer_gone:
      return &figures.peers_gone;
    case Outcome::timed_out:
      return &figures.timed_out;
    case Outcome::probe:
      return &figures.probes;
  }
  return nullptr;
}

std::size_t address_size(const sockaddr_storage& peer) {
  switch (peer.ss_family) {
    case AF_INET:
      return sizeof(sockaddr_in);
    case AF_INET6:
      return sizeof(sockaddr_in6);
    default:
      return sizeof(sa_family_t);
  }
}

}  // namespace

ChildSlot::ChildSlot(const Scoreboard& scoreboard, std::uint32_t slot, Capacity capacity)
    : scoreboard_(scoreboard),
      service_(scoreboard.service()),
      orders_(scoreboard.slot_orders(slot)),
      row_(scoreboard.slot(slot)),
      idle_words_(scoreboard.idle_words()),
      spare_words_(scoreboard.spare_words()),
      idle_word_(idle_words_[slot / bits_per_word]),
      idle_bit_(std::uint64_t{1} << (slot % bits_per_word)),
      capacity_(capacity),
      turn_(capacity.threads ? std::make_unique<std::mutex>() : nullptr),
      slot_index_(slot),
      past_(scoreboard, row_) {}

[[gnu::hot]] std::unique_lock<std::mutex> ChildSlot::turn() const {
  return turn_ ? std::unique_lock(*turn_) : std::unique_lock<std::mutex>();
}

// The row has room for one connection. It is the oldest, because connection-timeout applies to that first.
[[gnu::hot]] void ChildSlot::show(ConnectionId id) {
  const OpenConnections::Entry& entry = open_[id];
  row_.since.store(entry.since, relaxed);
  row_.deadline.store(entry.deadline, relaxed);
  row_.listener.store(entry.listener, relaxed);
  store_bytes(row_.peer, entry.peer);
  if (entry.note[0] != 0 || row_.note[0].load(relaxed) != 0)
    store_bytes(row_.note, std::as_bytes(std::span(entry.note)));
}

[[gnu::hot]] void ChildSlot::show_title() const {
  if (!process_title::shown || is_detached()) return;
  const unsigned number = open_.count();
  if (number == 0) return process_title::show(stay_ == Stay::here ? "idle" : "leaving");
  const std::array<char, note_size>& note = open_[open_.oldest()].note;
  process_title::show_busy(number, {note.data(), note.size()});
}

[[gnu::hot]] ConnectionId ChildSlot::accepted(const sockaddr_storage& peer, std::uint32_t listener,
                                              bool counts) {
  const auto turn = this->turn();
  const std::int64_t now = to_nanoseconds(Clock::now());
  const ConnectionId id = open_.add(now);
  OpenConnections::Entry& entry = open_[id];
  entry.listener = listener;
  entry.deadline = 0;
  entry.waited = OpenConnections::not_measured;
  std::memcpy(entry.peer.data(), &peer, address_size(peer));
  entry.note[0] = '\0';
  entry.counted = counts;
  const std::uint32_t open_connections = open_.count();
  {
    // The figures come first: if the child is killed from here on, the connection counts as aborted.
    const Writing writing(row_.sequence);
    past_.look(now);
    row_.open_connections.store(open_connections, relaxed);
    if (counts)
      add(row_.figures.accepted, 1);
    else
      add(row_.uncounted, 1);
    if (open_connections == 1) show(id);
  }
  show_title();
  const bool full = open_connections >= capacity_.connections;
  if (full)
    idle_word_.fetch_and(~idle_bit_, std::memory_order_seq_cst);
  else if (open_connections == 1)
    // The parent moves wake_below, then looks at open_connections again: one of the two sees the other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  // The parent may also wait for the first open connection: connection-timeout starts with it.
  if (full || open_connections == 1) {
    const std::uint32_t spares = count_spares();
    if (capacity_.connections == 1) past_.becomes_busy(spares);
    // While it is not full, another of its threads waits for connections.
    if (full && !in_loop() && past_.waits().due(now, spares > 0)) measured_ = id;
    note_idle(spares);
  }
  if (in_loop() && past_.waits().due_in_loop(now)) measured_ = id;
  return id;
}

void ChildSlot::begin(ConnectionId id, const Address& client) {
  const auto turn = this->turn();
  OpenConnections::Entry& entry = open_[id];
  entry.counted = true;
  sockaddr_storage address{};
  std::memcpy(&address, client.data(), client.size());
  std::memcpy(entry.peer.data(), &address, address_size(address));
  if (is_detached()) return;
  const Writing writing(row_.sequence);
  add(row_.figures.accepted, 1);
  row_.uncounted.store(row_.uncounted.load(relaxed) - 1, relaxed);
  if (open_.oldest() == id) store_bytes(row_.peer, entry.peer);
}

bool ChildSlot::counts(ConnectionId id) const {
  const auto turn = this->turn();
  return open_[id].counted;
}

// The parent wants to know of the fewest, and at once if there are fewer than it wants.
[[gnu::hot]] void ChildSlot::note_idle(std::uint32_t count) {
  Shared<std::uint32_t>& fewest = scoreboard_.gossip().fewest_idle;
  std::uint32_t known = fewest.load(relaxed);
  while (count < known && !fewest.compare_exchange_weak(known, count, relaxed)) {
  }
  if (count < service_.wake_below.load(std::memory_order_seq_cst)) wake();
}

[[gnu::hot]] void ChildSlot::count_as_finished(ConnectionId id, std::int64_t now) {
  const std::int64_t took = now - open_[id].since;
  past_.finished(now, took);
  const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)) / 1000;
  const std::size_t bucket = std::min<std::size_t>(std::bit_width(microseconds), latency_buckets - 1);
  add(row_.figures.latency[bucket], 1);
  add(row_.figures.duration, microseconds);
  add(row_.figures.finished, 1);
}

[[gnu::hot]] void ChildSlot::finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                                      std::uint64_t bytes_written, Time at) {
  const auto turn = this->turn();
  if (is_detached()) return open_.remove(id);
  const bool was_oldest = open_.oldest() == id;
  const std::int64_t now = to_nanoseconds(at);
  {
    const Writing writing(row_.sequence);
    past_.look(now);
    count_as_finished(id, now);
    open_.remove(id);
    if (Shared<std::uint64_t>* const count = counter_of(row_.figures, outcome)) add(*count, 1);
    add(row_.figures.bytes_read, bytes_read);
    add(row_.figures.bytes_written, bytes_written);
    row_.open_connections.store(open_.count(), relaxed);
    if (open_.count() == 0)
      row_.since.store(now, relaxed);
    else if (was_oldest)
      show(open_.oldest());
  }
  if (was_oldest && open_.count() > 0) note_oldest();
  // The first connection that a child finishes proves it.
  if (row_.figures.finished.load(relaxed) == 1 && service_.wake_when_proven.load(relaxed) != 0) wake();
  make_room();
}

void ChildSlot::finished(ConnectionId id, NotCounted as) {
  const auto turn = this->turn();
  if (is_detached()) return open_.remove(id);
  const bool was_oldest = open_.oldest() == id;
  const std::int64_t now = to_nanoseconds(Clock::now());
  {
    const Writing writing(row_.sequence);
    past_.finished(now, now - open_[id].since);
    open_.remove(id);
    row_.uncounted.store(row_.uncounted.load(relaxed) - 1, relaxed);
    if (as == NotCounted::probe) add(row_.not_accepted.probes, 1);
    if (as == NotCounted::refused) add(row_.not_accepted.refused, 1);
    row_.open_connections.store(open_.count(), relaxed);
    if (open_.count() == 0)
      row_.since.store(now, relaxed);
    else if (was_oldest)
      show(open_.oldest());
  }
  make_room();
}

// Another connection is the oldest now: the parent may watch no time limit of this child.
void ChildSlot::note_oldest() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (service_.wake_below.load(std::memory_order_seq_cst) == UINT32_MAX) wake();
}

// One connection has ended.
[[gnu::hot]] void ChildSlot::make_room() {
  show_title();
  if (row_.overdue_since.load(relaxed) != 0) row_.overdue_since.store(0, relaxed);
  if (stay_ != Stay::here || must_leave()) return;  // no spare any more
  const std::uint32_t open_connections = open_.count();
  const bool was_full = open_connections + 1 == capacity_.connections;
  if (was_full)
    idle_word_.fetch_or(idle_bit_, std::memory_order_seq_cst);
  else if (open_connections == 0)
    std::atomic_thread_fence(std::memory_order_seq_cst);
  // An idle spare may be one too many.
  if ((was_full || open_connections == 0) &&
      count_spares() > service_.wake_above.load(std::memory_order_seq_cst))
    wake();
}

void ChildSlot::refused(RefusedBy by) {
  const auto turn = this->turn();
  if (!is_detached()) add(row_.refused.at(static_cast<std::size_t>(by)), 1);
}

// Other threads may add connections, which moves the entries.
[[gnu::hot]] const OpenConnections::Entry& ChildSlot::open_connection(
    ConnectionId id, std::optional<OpenConnections::Entry>& copy) const {
  if (!turn_) return open_[id];
  const std::lock_guard turn(*turn_);
  return copy.emplace(open_[id]);
}

void ChildSlot::note(ConnectionId id, std::string_view text) {
  const auto turn = this->turn();
  std::array<char, note_size>& note = open_[id].note;
  note.fill('\0');
  text.copy(note.data(), note.size());
  if (is_detached() || open_.oldest() != id) return;
  show_title();
  const Writing writing(row_.sequence);
  store_bytes(row_.note, std::as_bytes(std::span(note)));
}

void ChildSlot::extend_deadline(ConnectionId id, Time until) {
  const auto turn = this->turn();
  open_[id].deadline = to_nanoseconds(until);
  if (is_detached() || open_.oldest() != id) return;
  const Writing writing(row_.sequence);
  row_.deadline.store(open_[id].deadline, relaxed);
}

void ChildSlot::more_waits() {
  if (count_spares() > 0) wake();
}

// No flag in shared memory says that the parent was woken already: a wild store could set it. The parent
// moves its thresholds when it looks, so that nobody writes for what it knows.
void ChildSlot::wake(Wake what) const {
  tell_event(scoreboard_.wake_descriptor(), static_cast<std::uint64_t>(what));
}

}  // namespace brood
