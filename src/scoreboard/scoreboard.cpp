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

}  // namespace brood
