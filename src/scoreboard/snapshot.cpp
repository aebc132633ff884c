// SPDX-License-Identifier: MIT
#include "brood/snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "scoreboard/mapping.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {
namespace {

constexpr int row_attempts = 1000;

template <std::size_t size>
std::string to_string(const std::array<char, size>& name) {
  return escape(std::string_view(name.data(), ::strnlen(name.data(), size)));
}

// A mapping that was checked: it is a scoreboard of this layout, and every table is inside it.
class Table {
 public:
  explicit Table(const std::string& path) : mapping_(path) {
    const auto refuse = [&](const std::string& why) { throw Error("scoreboard " + path + ": " + why); };
    if (mapping_.size() < sizeof(Header) || header().magic != scoreboard_magic)
      refuse("the file is not a scoreboard");
    if (header().version != layout_version)
      refuse(
          text("its layout is version ", header().version, ", this program reads version ", layout_version));
    layout_ = Layout::of(header().services, header().slots, Mapping::page_size());
    if (header().gossip_offset != layout_.gossip || layout_.size != mapping_.size())
      refuse("the file is damaged");
    for (std::uint32_t i = 0; i < header().services; ++i)
      if (std::uint64_t{service(i).first_slot} + service(i).slot_count > header().slots)
        refuse("the file is damaged");
  }

  const Header& header() const { return *at<Header>(0, 0); }
  const ServiceOrders& service(std::uint32_t i) const {
    return *at<ServiceOrders>(layout_.service_orders, i);
  }
  const SlotOrders& orders(std::uint32_t i) const { return *at<SlotOrders>(layout_.slot_orders, i); }
  const GossipHeader& gossip() const { return *at<GossipHeader>(layout_.gossip, 0); }
  const Slot& slot(std::uint32_t i) const { return *at<Slot>(layout_.slots, i); }
  bool is_idle(std::uint32_t i) const {
    return (at<IdleWord>(layout_.idle_words, i / bits_per_word)->load(relaxed) >> (i % bits_per_word) & 1U) !=
           0;
  }

 private:
  template <typename T>
  const T* at(std::size_t offset, std::size_t index) const {
    return reinterpret_cast<const T*>(mapping_.data() + offset) + index;
  }

  ReadOnlyMapping mapping_;
  Layout layout_{};
};

// One pass over the rows of a service. False if a child ended during it: its figures would be missing or
// counted twice.
bool read_rows(const Table& table, const ServiceOrders& from, Time now, ServiceSnapshot& to) {
  const auto before = from.sequence.load(std::memory_order_acquire);
  to.children_started = from.children_started.load(relaxed);
  to.children_gone = from.children_gone.load(relaxed);
  to.children_failed = from.children_failed.load(relaxed);
  to.total = read_figures(from.gone);
  to.slots.clear();
  to.empty = to.starting = to.idle = to.busy = to.leaving = to.spare = to.stopped = to.open_connections = 0;
  for (std::uint32_t i = 0; i < from.slot_count; ++i) {
    const std::uint32_t index = from.first_slot + i;
    to.slots.push_back(read_slot(table.slot(index), table.orders(index), table.is_idle(index), i, now));
    const SlotSnapshot& slot = to.slots.back();
    std::uint32_t* const counts[] = {&to.empty, &to.starting, &to.idle, &to.busy, &to.leaving};
    ++*counts[static_cast<std::size_t>(slot.state)];
    to.spare += slot.spare ? 1 : 0;
    to.stopped += slot.stopped ? 1 : 0;
    to.open_connections += slot.open_connections;
    to.total += slot.figures;
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return before % 2 == 0 && from.sequence.load(relaxed) == before;
}

ServiceSnapshot read_service(const Table& table, std::uint32_t index, Time now) {
  const ServiceOrders& from = table.service(index);
  ServiceSnapshot to;
  to.name = to_string(from.name);
  to.listeners = to_string(from.listeners);
  const std::uint32_t state = from.state.load(relaxed);
  if (state < service_state_names.size()) to.state = static_cast<ServiceState>(state);
  to.scaled = from.scaled.load(relaxed) != 0;
  to.generation = from.generation.load(relaxed);
  to.start_servers = from.start_servers.load(relaxed);
  to.min_spare_servers = from.min_spare_servers.load(relaxed);
  to.max_spare_servers = from.max_spare_servers.load(relaxed);
  to.max_clients = from.max_clients.load(relaxed);
  to.max_requests_per_child = from.max_requests_per_child.load(relaxed);
  to.max_clients_reached = from.max_clients_reached.load(relaxed);
  to.connection_timeouts = from.connection_timeouts.load(relaxed);
  to.lost = from.lost.load(relaxed);
  to.detached = from.detached.load(relaxed);
  const std::int64_t throttled = from.throttled_until.load(relaxed) - to_nanoseconds(now);
  to.throttled_for = std::chrono::nanoseconds(std::max<std::int64_t>(throttled, 0));
  for (int i = 0; i < row_attempts && !read_rows(table, from, now, to); ++i) {
  }
  // From the rows: what the parent saw at its last look may have changed.
  to.at_max_clients = to.children() + to.detached >= to.max_clients && to.spare == 0;
  return to;
}

}  // namespace

FiguresSnapshot& FiguresSnapshot::operator+=(const FiguresSnapshot& other) {
  accepted += other.accepted;
  finished += other.finished;
  failed += other.failed;
  aborted += other.aborted;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  for (std::size_t i = 0; i < latency_buckets; ++i) latency[i] += other.latency[i];
  return *this;
}

std::chrono::microseconds FiguresSnapshot::latency_at(double share) const {
  const auto all = std::accumulate(latency.begin(), latency.end(), std::uint64_t{0});
  if (all == 0) return {};
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < latency_buckets; ++i) {
    seen += latency[i];
    if (seen >= wanted) return std::chrono::microseconds(std::uint64_t{1} << i);
  }
  return std::chrono::microseconds(std::uint64_t{1} << (latency_buckets - 1));
}

Snapshot Snapshot::read(const std::string& path) {
  const Table table(path);
  const Header& header = table.header();
  const Time now = Clock::now();
  Snapshot snapshot;
  snapshot.name = to_string(header.name);
  snapshot.parent_pid = header.parent_pid.load(relaxed);
  const auto started = start_time_of(snapshot.parent_pid);
  snapshot.parent_alive = started.has_value() && *started == header.parent_start_time;
  snapshot.parent_state = snapshot.parent_alive ? state_of(snapshot.parent_pid) : '\0';
  if (snapshot.parent_state == 'Z') snapshot.parent_alive = false;
  snapshot.stopping = header.stopping.load(relaxed) != 0;
  snapshot.upgrades = header.upgrades.load(relaxed);
  snapshot.age = std::chrono::nanoseconds(to_nanoseconds(now) - header.started_at);
  snapshot.recoveries = table.gossip().recoveries.load(relaxed);
  snapshot.repairs = table.gossip().repairs.load(relaxed);
  for (std::uint32_t i = 0; i < header.services; ++i)
    if (table.service(i).name.front() != '\0')  // not an entry for a service that is added later
      snapshot.services.push_back(read_service(table, i, now));
  return snapshot;
}

// Only root may write to /run. Other users have a directory if a session manager has created one.
std::string default_runtime_directory() {
  if (::geteuid() == 0) return "/run/brood";
  const char* own = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  return own != nullptr && *own == '/' ? text(std::string_view(own), "/brood")
                                       : text("/tmp/brood-", ::geteuid());
}

}  // namespace brood
