// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/event_descriptor.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "scoreboard/history/past_sums.hpp"
#include "scoreboard/history/seconds.hpp"
#include "scoreboard/row_writing.hpp"

namespace brood {
namespace {

template <std::size_t size>
void copy_name(std::array<char, size>& to, std::string_view from) {
  to.fill('\0');
  from.copy(to.data(), size - 1);
}

// What the header of an existing scoreboard says; sets the number of its slots.
Layout read_layout(const Descriptor& scoreboard, std::uint32_t& slots) {
  struct Start {  // of Header
    std::array<char, 8> magic;
    std::uint32_t version, slots, gossip_offset;
    std::uint64_t size;
  } start{};
  static_assert(offsetof(Header, version) == offsetof(Start, version) &&
                offsetof(Header, size) == offsetof(Start, size));
  const ssize_t got = ::pread(scoreboard.get(), &start, sizeof start, 0);
  if (got < 0) throw SystemError("read the scoreboard that is handed over", errno);
  if (got != sizeof start || start.magic != scoreboard_magic)
    throw Error("what was handed over is not a scoreboard");
  if (start.version != layout_version)
    throw ConfigurationError(text("the scoreboard that is handed over has layout version ", start.version,
                                  ", this program has ", layout_version,
                                  ": the two were built with different versions of the kit"));
  slots = start.slots;
  const Layout layout = Layout::of(start.slots, Mapping::page_size());
  if (layout.gossip != start.gossip_offset || layout.size != start.size)
    throw Error("the scoreboard that is handed over is damaged");
  return layout;
}

std::uint32_t rounded_up(std::uint32_t slots) {
  return (slots + bits_per_word - 1) / bits_per_word * bits_per_word;
}

// What a child can have done. Another child may have written over its row.
bool are_plausible(const Figures& figures) {
  constexpr std::uint64_t most_open = 1 << 20, most = std::uint64_t{1} << 40;
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 60, longest = std::uint64_t{1} << 60;
  const std::uint64_t accepted = figures.accepted.load(relaxed), finished = figures.finished.load(relaxed);
  // A child that was killed in the middle of a write may have counted the last one here alone.
  std::uint64_t in_buckets = 0;
  for (const auto& bucket : figures.latency) in_buckets += bucket.load(relaxed);
  return accepted <= most && finished <= accepted && accepted - finished <= most_open &&
         not_served(figures) <= finished && in_buckets - finished <= 1 &&
         figures.bytes_read.load(relaxed) <= most_bytes &&
         figures.bytes_written.load(relaxed) <= most_bytes && figures.duration.load(relaxed) <= longest;
}

void add_all(Figures& to, const Figures& from) {
  const auto take = [](Shared<std::uint64_t>& sum, const Shared<std::uint64_t>& part) {
    add(sum, part.load(relaxed));
  };
  take(to.accepted, from.accepted);
  take(to.finished, from.finished);
  take(to.failed, from.failed);
  take(to.peers_gone, from.peers_gone);
  take(to.timed_out, from.timed_out);
  take(to.probes, from.probes);
  take(to.bytes_read, from.bytes_read);
  take(to.bytes_written, from.bytes_written);
  take(to.duration, from.duration);
  for (std::size_t i = 0; i < latency_buckets; ++i) take(to.latency[i], from.latency[i]);
}

constexpr std::uint64_t most_refused = std::uint64_t{1} << 40U;  // of a child; more is nonsense
// As below.
bool add_all(NotAccepted& to, const NotAccepted& from) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  const std::uint64_t probes = from.probes.load(relaxed), refused = from.refused.load(relaxed);
  if (probes > most || refused > most) return false;
  add(to.probes, probes);
  add(to.refused, refused);
  return true;
}

// What a child can have counted. False: it is nonsense, and was left out.
bool add_counters(ServiceOrders& service, const Figures& from) {
  constexpr std::uint64_t most = std::uint64_t{1} << 60;
  bool plausible = true;
  for (std::size_t i = 0; i < most_counters; ++i) {
    if (service.counters[i].gauge.load(relaxed) != 0) continue;
    const std::uint64_t counted = from.own[i].load(relaxed);
    plausible = plausible && counted <= most;
    add(service.gone.own[i], counted <= most ? counted : 0);
  }
  return plausible;
}

// All that a child writes without the lock.
void clear(Slot& row) {
  row.pid.store(0, relaxed);
  for (auto& refused : row.refused) refused.store(0, relaxed);
  row.uncounted.store(0, relaxed);
  row.reading.store(0, relaxed);
  row.overdue_since.store(0, relaxed);
  row.not_accepted.probes.store(0, relaxed);
  row.not_accepted.refused.store(0, relaxed);
  row.open_connections.store(0, relaxed);
  row.capacity.store(0, relaxed);
  row.listener.store(0, relaxed);
  row.since.store(0, relaxed);
  row.deadline.store(0, relaxed);
  for (auto& word : row.peer) word.store(0, relaxed);
  for (auto& word : row.note) word.store(0, relaxed);
  Figures& figures = row.figures;
  for (auto* figure :
       {&figures.accepted, &figures.finished, &figures.failed, &figures.peers_gone, &figures.timed_out,
        &figures.probes, &figures.aborted, &figures.bytes_read, &figures.bytes_written})
    figure->store(0, relaxed);
  figures.duration.store(0, relaxed);
  for (auto& bucket : figures.latency) bucket.store(0, relaxed);
  for (auto& counter : figures.own) counter.store(0, relaxed);
  clear(row.past);
}

}  // namespace

ServerFacts ServerFacts::of_this_process(std::string name) {
  return {.name = std::move(name),
          .started_at = to_nanoseconds(Clock::now()),
          .parent_start_time = start_time_of(::getpid()).value_or(0),
          .parent_pid = ::getpid()};
}

// The file holds zero bytes, with which every value begins.
Scoreboard::Scoreboard(const std::string& path, const ServerFacts& server, std::string_view service,
                       std::uint32_t slots, std::uint32_t position)
    : slots_(rounded_up(slots)),
      layout_(Layout::of(slots_, Mapping::page_size())),
      mapping_(path, layout_.gossip, layout_.size - layout_.gossip, layout_.size - layout_.in_use),
      wake_(new_event()) {
  auto& header = orders_at<Header>(0);
  header.version = layout_version;
  header.slots = slots_;
  header.gossip_offset = static_cast<std::uint32_t>(layout_.gossip);
  header.size = layout_.size;
  publish(server);
  copy_name(service_orders().name, service);
  service_orders().position = position;
  service_orders().created_at = to_nanoseconds(Clock::now());
  service_orders().wake_above.store(UINT32_MAX, relaxed);
  // It may fail early at boot: then clients could choose their places, but no more.
  [[maybe_unused]] const auto got =
      ::getrandom(&service_orders().client_seed, sizeof(std::uint64_t), GRND_NONBLOCK);
  header.magic = scoreboard_magic;
  mapping_.give_name();
}

Scoreboard::Scoreboard(MappingDescriptors descriptors, Descriptor wake, std::string path, Side side)
    : layout_(read_layout(descriptors.read_only, slots_)),
      mapping_(std::move(descriptors), std::move(path), layout_.gossip, side),
      wake_(std::move(wake)) {}

template <typename T>
T& Scoreboard::orders_at(std::size_t offset, std::size_t index) const {
  return reinterpret_cast<T*>(mapping_.writable_orders() + offset)[index];
}
template <typename T>
const T& Scoreboard::read_at(std::size_t offset, std::size_t index) const {
  return reinterpret_cast<const T*>(mapping_.orders() + offset)[index];
}
template <typename T>
T& Scoreboard::gossip_at(std::size_t offset, std::size_t index) const {
  return reinterpret_cast<T*>(mapping_.gossip() + (offset - layout_.gossip))[index];
}

const Header& Scoreboard::header() const { return read_at<Header>(0); }
const ServerFields& Scoreboard::server() const { return read_at<ServerFields>(layout_.server_orders); }
const ServiceOrders& Scoreboard::service() const { return read_at<ServiceOrders>(layout_.service_orders); }
const SlotOrders& Scoreboard::slot_orders(std::uint32_t slot) const {
  return read_at<SlotOrders>(layout_.slot_orders, slot);
}
ServiceOrders& Scoreboard::service_orders() const { return orders_at<ServiceOrders>(layout_.service_orders); }
SlotOrders& Scoreboard::writable_slot_orders(std::uint32_t slot) const {
  return orders_at<SlotOrders>(layout_.slot_orders, slot);
}
GossipHeader& Scoreboard::gossip() const { return gossip_at<GossipHeader>(layout_.gossip); }
Slot& Scoreboard::slot(std::uint32_t slot) const { return gossip_at<Slot>(layout_.slots, slot); }
Evidence& Scoreboard::evidence(std::uint32_t slot) const {
  return gossip_at<Evidence>(layout_.evidence, slot);
}

HistoryTable& Scoreboard::history() const { return gossip_at<HistoryTable>(layout_.history); }
std::span<Shared<std::uint64_t>> Scoreboard::busy_times() const {
  return {&gossip_at<Shared<std::uint64_t>>(layout_.busy_times), slots_ + std::size_t{1}};
}
Journal Scoreboard::journal() const { return {orders_at<JournalTable>(layout_.journal), service()}; }

void Scoreboard::publish(const ServerFacts& facts) const {
  auto state = facts.stopping ? StopState::stopping : StopState::none;
  if (facts.draining) state = StopState::draining;
  auto& server = orders_at<ServerFields>(layout_.server_orders);
  server.started_at = facts.started_at;
  server.parent_start_time = facts.parent_start_time;
  server.parent_pid.store(facts.parent_pid, relaxed);
  server.log_epoch.store(facts.log_epoch, relaxed);
  server.stopping.store(static_cast<std::uint32_t>(state), relaxed);
  server.upgrades.store(facts.upgrades, relaxed);
  copy_name(server.name, facts.name);
}

ServerFacts Scoreboard::server_facts() const {
  const ServerFields& from = server();
  return {.name = from.name.data(),
          .started_at = from.started_at,
          .parent_start_time = from.parent_start_time,
          .parent_pid = from.parent_pid.load(relaxed),
          .log_epoch = from.log_epoch.load(relaxed),
          .stopping = from.stopping.load(relaxed) == static_cast<std::uint32_t>(StopState::stopping),
          .draining = from.stopping.load(relaxed) == static_cast<std::uint32_t>(StopState::draining),
          .upgrades = from.upgrades.load(relaxed)};
}

std::span<IdleWord> Scoreboard::idle_words() const {
  return {&gossip_at<IdleWord>(layout_.idle_words), slots_ / bits_per_word};
}
std::span<const IdleWord> Scoreboard::spare_words() const {
  return {&read_at<IdleWord>(layout_.spare_words), slots_ / bits_per_word};
}

// Changing a bit and counting are sequentially consistent. If two children in different words become busy at
// once, at least one of them sees both bits cleared, and so that a threshold is crossed.
void Scoreboard::set_idle(std::uint32_t slot, bool idle) const {
  IdleWord& word = idle_words()[slot / bits_per_word];
  const std::uint64_t bit = std::uint64_t{1} << (slot % bits_per_word);
  if (idle)
    word.fetch_or(bit, std::memory_order_seq_cst);
  else
    word.fetch_and(~bit, std::memory_order_seq_cst);
}

bool Scoreboard::is_idle(std::uint32_t slot) const {
  return (idle_words()[slot / bits_per_word].load(std::memory_order_seq_cst) >> (slot % bits_per_word) &
          1U) != 0;
}

std::span<Shared<std::uint64_t>> Scoreboard::client_places() const {
  return {&gossip_at<Shared<std::uint64_t>>(layout_.client_places), service().client_places.load(relaxed)};
}
std::span<Shared<std::uint64_t>> Scoreboard::client_rates() const {
  const bool there = service().client_places.load(relaxed) != 0;
  return {&gossip_at<Shared<std::uint64_t>>(layout_.client_rates), there ? client_rate_cells : 0};
}

// Four places for each connection: those of a client must be near each other (ClientCounts).
void Scoreboard::allocate_clients(std::size_t connections) const {
  const std::size_t places = std::clamp(std::bit_ceil(4 * connections), std::size_t{512}, most_client_places);
  if (places <= service().client_places.load(relaxed)) return;
  mapping_.allocate(layout_.client_places, places * sizeof(std::uint64_t));
  mapping_.allocate(layout_.client_rates, client_rate_cells * sizeof(std::uint64_t));
  service_orders().client_places.store(places, relaxed);
}

std::uint32_t Scoreboard::count_idle() const { return count_bits(idle_words(), spare_words()); }

void Scoreboard::set_counted(std::uint32_t slot, bool counted) const {
  auto& word = orders_at<IdleWord>(layout_.spare_words, slot / bits_per_word);
  const std::uint64_t bit = std::uint64_t{1} << (slot % bits_per_word);
  word.store(counted ? word.load(relaxed) | bit : word.load(relaxed) & ~bit, std::memory_order_seq_cst);
}

pid_t Scoreboard::lock_holder() const { return gossip().mutex.holder().thread; }

void Scoreboard::claim(std::uint32_t slot_index, std::uint32_t generation, Time now) const {
  SlotOrders& orders = writable_slot_orders(slot_index);
  orders.incarnation.store(orders.incarnation.load(relaxed) + 1, relaxed);
  orders.generation.store(generation, relaxed);
  orders.order.store(Order::serve, relaxed);
  orders.reason.store(static_cast<std::uint32_t>(Reason::none), relaxed);
  orders.end_cause.store(static_cast<std::uint32_t>(EndCause::unasked), relaxed);
  orders.stopped.store(0, relaxed);
  orders.forked_at.store(to_nanoseconds(now), relaxed);
  set_idle(slot_index, false);
  set_counted(slot_index, true);
  Slot& row = slot(slot_index);
  clear(row);
  row.sequence.store(0, relaxed);
  const std::uint32_t seal = seal_of(orders.incarnation.load(relaxed), slot_index);
  row.lifecycle.store(Lifecycle{.phase = Phase::starting, .seal = seal}.pack(), std::memory_order_release);
}

void Scoreboard::serve(std::uint32_t slot_index, pid_t pid, std::uint32_t capacity) const {
  Slot& row = slot(slot_index);
  row.pid.store(pid, relaxed);
  row.capacity.store(capacity, relaxed);
  row.since.store(to_nanoseconds(Clock::now()), relaxed);
  const std::uint32_t seal = seal_of(slot_orders(slot_index).incarnation.load(relaxed), slot_index);
  // The bit first: the parent may look without the lock, and must not find a child that serves and is no
  // spare.
  set_idle(slot_index, true);
  row.lifecycle.store(Lifecycle{.phase = Phase::serving, .seal = seal}.pack(), std::memory_order_release);
}

std::uint32_t Scoreboard::free(std::uint32_t slot_index) const {
  set_counted(slot_index, false);
  set_idle(slot_index, false);
  Slot& row = slot(slot_index);
  const Figures& from = row.figures;
  ServiceOrders& service = service_orders();
  const Writing writing(service.sequence);
  // Not row.open_connections: if the child was killed in the middle of a write, it may not match the figures.
  const bool counts = are_plausible(from);
  const std::uint64_t open_connections =
      counts ? from.accepted.load(relaxed) - from.finished.load(relaxed) : 0;
  const std::int64_t now = to_nanoseconds(Clock::now());
  if (counts) {
    add_all(service.gone, from);
    add_past(row, {slot_orders(slot_index).forked_at.load(relaxed), now}, service, history(), busy_times());
  }
  const bool others_count = add_all(service.gone_not_accepted, row.not_accepted);
  const bool counted = add_counters(service, from);
  add(service.mended, counts && counted && others_count ? 0 : 1);
  add(service.gone.aborted, open_connections);
  add_in(place_of(history(), second_of(now)).aborted, second_of(now), open_connections);
  for (std::size_t i = 0; i < row.refused.size(); ++i) {
    const std::uint64_t refused = row.refused[i].load(relaxed);
    add(service.refused_gone[i], refused <= most_refused ? refused : 0);
  }
  add(service.children_gone, 1);
  const std::uint32_t cause = slot_orders(slot_index).end_cause.load(relaxed);
  if (cause < service.children_ended.size()) add(service.children_ended[cause], 1);
  clear(row);
  row.lifecycle.store(Lifecycle{}.pack(), std::memory_order_release);
  writable_slot_orders(slot_index).pid.store(0, relaxed);
  return static_cast<std::uint32_t>(open_connections);
}

}  // namespace brood
