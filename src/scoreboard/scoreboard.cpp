// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <numeric>
#include <type_traits>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

template <std::size_t size>
void copy_name(std::array<char, size>& to, std::string_view from) {
  to.fill('\0');
  from.copy(to.data(), size - 1);
}

std::uint32_t count_slots(std::span<const ServiceShape> services) {
  return std::accumulate(services.begin(), services.end(), 0U,
                         [](std::uint32_t sum, const ServiceShape& shape) { return sum + shape.slots; });
}

// What the header of an existing scoreboard says; sets the number of its slots.
Layout read_layout(const Descriptor& scoreboard, std::uint32_t& slots) {
  struct Start {  // of Header
    std::array<char, 8> magic;
    std::uint32_t version, services, slots, gossip_offset;
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
  const Layout layout = Layout::of(start.services, start.slots, Mapping::page_size());
  if (layout.gossip != start.gossip_offset || layout.size != start.size)
    throw Error("the scoreboard that is handed over is damaged");
  return layout;
}

template <typename T, typename Byte>
auto* at(Byte* base, std::size_t offset, std::size_t index = 0) {
  using Target = std::conditional_t<std::is_const_v<Byte>, const T, T>;
  return reinterpret_cast<Target*>(base + offset) + index;
}

// The file holds zero bytes, with which every value begins. Only the mutex needs a constructor.
template <typename T>
T* construct(std::byte* base, std::size_t offset) {
  return std::construct_at(at<T>(base, offset));
}

}  // namespace

Scoreboard::Scoreboard(const std::string& path, std::string_view server_name,
                       std::span<const ServiceShape> services)
    : slot_count_(count_slots(services)),
      layout_(Layout::of(services.size(), slot_count_, Mapping::page_size())),
      mapping_(path, layout_.gossip, layout_.size - layout_.gossip) {
  construct<GossipHeader>(mapping_.gossip(), 0);
  Header& header = orders();
  header.version = layout_version;
  header.services = static_cast<std::uint32_t>(services.size());
  header.slots = slot_count_;
  header.gossip_offset = static_cast<std::uint32_t>(layout_.gossip);
  header.size = layout_.size;
  header.started_at = to_nanoseconds(Clock::now());
  header.parent_start_time = start_time_of(::getpid()).value_or(0);
  header.parent_pid.store(::getpid(), relaxed);
  copy_name(header.name, server_name);
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < services.size(); ++i) {
    ServiceOrders& service = service_orders(i);
    copy_name(service.name, services[i].name);
    service.first_slot = first;
    service.slot_count = services[i].slots;
    service.wake_above.store(UINT32_MAX, relaxed);
    first += services[i].slots;
  }
  header.magic = scoreboard_magic;  // last: a reader that sees it sees a whole header
}

Scoreboard::Scoreboard(MappingDescriptors descriptors, std::string path, Side side)
    : layout_(read_layout(descriptors.read_only, slot_count_)),
      mapping_(std::move(descriptors), std::move(path), layout_.gossip, side) {}

const Header& Scoreboard::header() const { return *at<Header>(mapping_.orders(), 0); }
const ServiceOrders& Scoreboard::service(std::uint32_t service) const {
  return *at<ServiceOrders>(mapping_.orders(), layout_.service_orders, service);
}
std::optional<std::uint32_t> Scoreboard::find(std::string_view name) const {
  for (std::uint32_t i = 0; i < header().services; ++i) {
    const auto& written = service(i).name;
    if (name.substr(0, written.size() - 1) == written.data()) return i;
  }
  return {};
}
const SlotOrders& Scoreboard::slot_orders(std::uint32_t slot) const {
  return *at<SlotOrders>(mapping_.orders(), layout_.slot_orders, slot);
}
Header& Scoreboard::orders() const { return *at<Header>(mapping_.writable_orders(), 0); }
ServiceOrders& Scoreboard::service_orders(std::uint32_t service) const {
  return *at<ServiceOrders>(mapping_.writable_orders(), layout_.service_orders, service);
}
SlotOrders& Scoreboard::writable_slot_orders(std::uint32_t slot) const {
  return *at<SlotOrders>(mapping_.writable_orders(), layout_.slot_orders, slot);
}
GossipHeader& Scoreboard::gossip() const { return *at<GossipHeader>(mapping_.gossip(), 0); }
ServiceGossip& Scoreboard::service_gossip(std::uint32_t service) const {
  return *at<ServiceGossip>(mapping_.gossip(), layout_.service_gossip - layout_.gossip, service);
}
Slot& Scoreboard::slot(std::uint32_t slot) const {
  return *at<Slot>(mapping_.gossip(), layout_.slots - layout_.gossip, slot);
}
IdleWord& Scoreboard::idle_word(std::uint32_t slot) const {
  return *at<IdleWord>(mapping_.gossip(), layout_.idle_words - layout_.gossip, slot / bits_per_word);
}

// Changing a bit and counting are sequentially consistent. If two children in different words become busy at
// once, at least one of them sees both bits cleared, and so that a threshold is crossed.
void Scoreboard::set_idle(std::uint32_t slot, bool idle) const {
  const std::uint64_t bit = std::uint64_t{1} << (slot % bits_per_word);
  if (idle)
    idle_word(slot).fetch_or(bit, std::memory_order_seq_cst);
  else
    idle_word(slot).fetch_and(~bit, std::memory_order_seq_cst);
}

bool Scoreboard::is_idle(std::uint32_t slot) const {
  return (idle_word(slot).load(std::memory_order_seq_cst) >> (slot % bits_per_word) & 1U) != 0;
}

std::span<IdleWord> Scoreboard::idle_words(std::uint32_t service_index) const {
  const ServiceOrders& its = service(service_index);
  return {&idle_word(its.first_slot), its.slot_count / bits_per_word};
}

std::uint32_t Scoreboard::count_idle(std::uint32_t service) const { return count_bits(idle_words(service)); }

void Scoreboard::break_lock() const { gossip().mutex.unlock_word(); }

pid_t Scoreboard::lock_holder() const { return gossip().mutex.holder(); }

std::optional<std::uint32_t> Scoreboard::free_entry(std::uint32_t slots) const {
  std::optional<std::uint32_t> best;
  for (std::uint32_t i = 0; i < header().services; ++i)
    if (service(i).name.front() == '\0' && service(i).slot_count >= slots &&
        (!best || service(i).slot_count < service(*best).slot_count))
      best = i;
  return best;
}

void Scoreboard::occupy(std::uint32_t service_index, std::string_view name) const {
  copy_name(service_orders(service_index).name, name);
}

void Scoreboard::vacate(std::uint32_t service_index) const {
  ServiceOrders& entry = service_orders(service_index);
  const std::uint32_t first = entry.first_slot, count = entry.slot_count;
  entry.name.fill('\0');  // first: readers skip an entry without a name
  std::atomic_thread_fence(std::memory_order_release);
  std::construct_at(&entry);  // all of it is 0
  entry.first_slot = first;
  entry.slot_count = count;
  entry.wake_above.store(UINT32_MAX, relaxed);
}

void Scoreboard::claim(std::uint32_t slot_index, std::uint32_t generation, Time now) const {
  SlotOrders& orders = writable_slot_orders(slot_index);
  orders.incarnation.store(orders.incarnation.load(relaxed) + 1, relaxed);
  orders.generation.store(generation, relaxed);
  orders.order.store(Order::serve, relaxed);
  orders.reason.store(static_cast<std::uint32_t>(Reason::none), relaxed);
  orders.stopped.store(0, relaxed);
  orders.forked_at.store(to_nanoseconds(now), relaxed);
  set_idle(slot_index, false);
  Slot& row = slot(slot_index);
  row.pid.store(0, relaxed);
  row.sequence.store(0, relaxed);
  row.lifecycle.store(Lifecycle{.phase = Phase::starting}.pack(), std::memory_order_release);
}

std::uint32_t Scoreboard::free(std::uint32_t service_index, std::uint32_t slot_index) const {
  set_idle(slot_index, false);
  Slot& row = slot(slot_index);
  Figures& from = row.figures;
  ServiceOrders& service = service_orders(service_index);
  Figures& to = service.gone;
  const auto take = [](Shared<std::uint64_t>& sum, Shared<std::uint64_t>& part) {
    add(sum, part.load(relaxed));
    part.store(0, relaxed);
  };
  service.sequence.store(service.sequence.load(relaxed) + 1, relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  // Not row.open_connections: if the child was killed in the middle of a write, it may not match the figures.
  const std::uint64_t accepted = from.accepted.load(relaxed), finished = from.finished.load(relaxed);
  const std::uint64_t open_connections = accepted > finished ? accepted - finished : 0;
  add(to.aborted, open_connections);
  add(service.children_gone, 1);
  take(to.accepted, from.accepted);
  take(to.finished, from.finished);
  take(to.failed, from.failed);
  take(to.bytes_read, from.bytes_read);
  take(to.bytes_written, from.bytes_written);
  for (std::size_t i = 0; i < latency_buckets; ++i) take(to.latency[i], from.latency[i]);
  row.open_connections.store(0, relaxed);
  row.capacity.store(0, relaxed);
  row.since.store(0, relaxed);
  row.listener.store(0, relaxed);
  for (auto& word : row.peer) word.store(0, relaxed);
  for (auto& word : row.note) word.store(0, relaxed);
  row.pid.store(0, relaxed);
  row.lifecycle.store(Lifecycle{}.pack(), std::memory_order_release);
  writable_slot_orders(slot_index).pid.store(0, relaxed);
  service.sequence.store(service.sequence.load(relaxed) + 1, std::memory_order_release);
  return static_cast<std::uint32_t>(open_connections);
}

}  // namespace brood
