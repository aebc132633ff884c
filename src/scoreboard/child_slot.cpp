// SPDX-License-Identifier: MIT
#include "scoreboard/child_slot.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/event_descriptor.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto lock_patience = 1s;

template <std::size_t words>
void store_bytes(std::array<Shared<std::uint64_t>, words>& to, std::span<const std::byte> from) {
  std::array<std::uint64_t, words> padded{};
  if (!from.empty()) std::memcpy(padded.data(), from.data(), std::min(from.size(), sizeof padded));
  for (std::size_t i = 0; i < words; ++i) to[i].store(padded[i], relaxed);
}

// Marks the row as "being written" for readers, who then read again (a seqlock with one writer).
class Writing {
 public:
  explicit Writing(Shared<std::uint32_t>& sequence) : sequence_(sequence) {
    sequence_.store(sequence_.load(relaxed) + 1, relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~Writing() { sequence_.store(sequence_.load(relaxed) + 1, std::memory_order_release); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  Shared<std::uint32_t>& sequence_;
};

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

ChildSlot::ChildSlot(const Scoreboard& scoreboard, std::uint32_t service, std::uint32_t slot, int wake_fd,
                     Capacity capacity)
    : scoreboard_(scoreboard),
      service_(scoreboard.service(service)),
      orders_(scoreboard.slot_orders(slot)),
      row_(scoreboard.slot(slot)),
      idle_words_(scoreboard.idle_words(service)),
      idle_word_(idle_words_[(slot - service_.first_slot) / bits_per_word]),
      idle_bit_(std::uint64_t{1} << (slot % bits_per_word)),
      capacity_(capacity),
      turn_(capacity.threads ? std::make_unique<std::mutex>() : nullptr),
      service_index_(service),
      slot_index_(slot),
      wake_fd_(wake_fd) {}

ScoreboardLock ChildSlot::lock() {
  for (;;) {
    ScoreboardLock lock(scoreboard_, Side::child, Clock::now() + lock_patience);
    if (lock || ::getppid() != scoreboard_.header().parent_pid.load(relaxed)) return lock;
    // A sibling was stopped while it held the lock. The parent checks that when it is woken.
    log_warning("scoreboard: the lock has been held for a second; the parent is woken");
    wake();
  }
}

void ChildSlot::change_lifecycle(Lifecycle lifecycle) {
  if (const auto locked = lock()) {
    if (lifecycle.phase != Phase::serving) scoreboard_.set_idle(slot_index_, false);
    row_.lifecycle.store(lifecycle.pack(), std::memory_order_release);
  }
  wake();
}

void ChildSlot::ready() {
  if (const auto locked = lock()) {
    row_.pid.store(::getpid(), relaxed);
    row_.capacity.store(capacity_.connections, relaxed);
    row_.since.store(to_nanoseconds(Clock::now()), relaxed);
    row_.lifecycle.store(Lifecycle{.phase = Phase::serving}.pack(), std::memory_order_release);
    scoreboard_.set_idle(slot_index_, true);
  }
  wake();
}

void ChildSlot::ask(Reason reason) {
  change_lifecycle({.phase = Phase::serving, .asks = true, .reason = reason});
}

// In turn with threads that end a connection now: they must not set the idle bit after the child has left.
void ChildSlot::leave(Reason reason) {
  const auto turn = this->turn();
  *stay_ = Stay::left;
  change_lifecycle({.phase = Phase::leaving, .reason = reason});
}

// The figures first: when the parent reads "detached", it adds them up and frees the row.
void ChildSlot::detach() {
  const auto turn = this->turn();
  const std::int64_t now = to_nanoseconds(Clock::now());
  {
    const Writing writing(row_.sequence);
    for (ConnectionId id = open_.oldest(); id != OpenConnections::none; id = open_[id].newer)
      count_as_finished(id, now);
    row_.open_connections.store(0, relaxed);
    row_.since.store(now, relaxed);
  }
  *stay_ = Stay::detached;
  change_lifecycle({.phase = Phase::leaving, .reason = Reason::detached});
}

std::unique_lock<std::mutex> ChildSlot::turn() const {
  return turn_ ? std::unique_lock(*turn_) : std::unique_lock<std::mutex>();
}

// The row has room for one connection. It is the oldest, because connection-timeout applies to that first.
void ChildSlot::show(ConnectionId id) {
  const OpenConnections::Entry& entry = open_[id];
  row_.since.store(entry.since, relaxed);
  row_.listener.store(entry.listener, relaxed);
  store_bytes(row_.peer, entry.peer);
  if (entry.note[0] != 0 || row_.note[0].load(relaxed) != 0)
    store_bytes(row_.note, std::as_bytes(std::span(entry.note)));
}

ConnectionId ChildSlot::accepted(const sockaddr_storage& peer, std::uint32_t listener) {
  const auto turn = this->turn();
  const ConnectionId id = open_.add(to_nanoseconds(Clock::now()));
  OpenConnections::Entry& entry = open_[id];
  entry.listener = listener;
  std::memcpy(entry.peer.data(), &peer, address_size(peer));
  entry.note[0] = '\0';
  const std::uint32_t open_connections = open_.count();
  {
    // The figures come first: if the child is killed from here on, the connection counts as aborted.
    const Writing writing(row_.sequence);
    row_.open_connections.store(open_connections, relaxed);
    add(row_.figures.accepted, 1);
    if (open_connections == 1) show(id);
  }
  const bool full = open_connections >= capacity_.connections;
  if (full) idle_word_.fetch_and(~idle_bit_, std::memory_order_seq_cst);
  // The parent may also wait for the first open connection: connection-timeout starts with it.
  if ((full || open_connections == 1) &&
      count_bits(idle_words_) < service_.wake_below.load(std::memory_order_seq_cst))
    wake();
  return id;
}

void ChildSlot::count_as_finished(ConnectionId id, std::int64_t now) {
  const std::int64_t took = now - open_[id].since;
  const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)) / 1000;
  const std::size_t bucket = std::min<std::size_t>(std::bit_width(microseconds), latency_buckets - 1);
  add(row_.figures.latency[bucket], 1);
  add(row_.figures.finished, 1);
}

void ChildSlot::finished(ConnectionId id, bool failed, std::uint64_t bytes_read,
                         std::uint64_t bytes_written) {
  const auto turn = this->turn();
  if (is_detached()) return open_.remove(id);
  const bool was_oldest = open_.oldest() == id;
  const std::int64_t now = to_nanoseconds(Clock::now());
  {
    const Writing writing(row_.sequence);
    count_as_finished(id, now);
    open_.remove(id);
    if (failed) add(row_.figures.failed, 1);
    add(row_.figures.bytes_read, bytes_read);
    add(row_.figures.bytes_written, bytes_written);
    row_.open_connections.store(open_.count(), relaxed);
    if (open_.count() == 0)
      row_.since.store(now, relaxed);
    else if (was_oldest)
      show(open_.oldest());
  }
  // The first connection that a child finishes proves it: the parent waits for one if starts are throttled.
  if (row_.figures.finished.load(relaxed) == 1 && service_.throttled_until.load(relaxed) != 0) wake();
  if (*stay_ != Stay::here || must_leave()) return;  // no spare any more
  const std::uint32_t open_connections = open_.count();
  const bool was_full = open_connections + 1 == capacity_.connections;
  if (was_full) idle_word_.fetch_or(idle_bit_, std::memory_order_seq_cst);
  // An idle spare may be one too many.
  if ((was_full || open_connections == 0) &&
      count_bits(idle_words_) > service_.wake_above.load(std::memory_order_seq_cst))
    wake();
}

void ChildSlot::note(ConnectionId id, std::string_view text) {
  const auto turn = this->turn();
  std::array<char, note_size>& note = open_[id].note;
  note.fill('\0');
  text.copy(note.data(), note.size());
  if (is_detached() || open_.oldest() != id) return;
  const Writing writing(row_.sequence);
  store_bytes(row_.note, std::as_bytes(std::span(note)));
}

void ChildSlot::more_waits() {
  if (count_bits(idle_words_) > 0) wake();
}

// The child that sets the flag writes. The parent clears the flag before it reads the table, so there is at
// most one write() for each of its looks.
void ChildSlot::wake(WakeReason reason) {
  Shared<std::uint32_t>& pending = scoreboard_.service_gossip(service_index_).wake;
  if ((pending.fetch_or(reason, std::memory_order_seq_cst) & reason) != 0) return;
  tell_event(wake_fd_);
}

}  // namespace brood
