// SPDX-License-Identifier: MIT
#include "brood/snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <tuple>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "scoreboard/counter_names.hpp"
#include "scoreboard/history/past_reader.hpp"
#include "scoreboard/mapping.hpp"
#include "scoreboard/report/quantile.hpp"
#include "scoreboard/scoreboard_place.hpp"
#include "scoreboard/scoreboard_reader.hpp"
#include "scoreboard/slot_reader.hpp"

namespace brood {
namespace {

constexpr int row_attempts = 1000;
// While many children start, some phase changes during each pass.
constexpr int phase_attempts = 20;
// A child that writes its row may have to wait for a processor in the middle of that.
constexpr int waits_for_writers = 20;
constexpr std::chrono::milliseconds time_for_writers{1};

template <std::size_t size>
std::string to_string(const std::array<char, size>& name) {
  return escape(std::string_view(name.data(), ::strnlen(name.data(), size)));
}

// A mapping that was checked: it is a scoreboard of this layout, and every table is inside it.
class Table {
 public:
  explicit Table(const std::string& path) : Table(ReadOnlyMapping(path), path) {}
  explicit Table(const Descriptor& file) : Table(ReadOnlyMapping(file), text("descriptor ", file.get())) {}
  Table(ReadOnlyMapping mapping, const std::string& from) : mapping_(std::move(mapping)) {
    const auto refuse = [&](const std::string& why) { throw Error("scoreboard " + from + ": " + why); };
    if (mapping_.size() < sizeof(Header) || header().magic != scoreboard_magic)
      refuse("the file is not a scoreboard");
    if (header().version != layout_version)
      refuse(
          text("its layout is version ", header().version, ", this program reads version ", layout_version));
    layout_ = Layout::of(header().slots, Mapping::page_size());
    if (header().slots % bits_per_word != 0 || header().gossip_offset != layout_.gossip ||
        layout_.size != mapping_.size())
      refuse("the file is damaged");
  }

  const Header& header() const { return *at<Header>(0, 0); }
  const ServerFields& server() const { return *at<ServerFields>(layout_.server_orders, 0); }
  const ServiceOrders& service() const { return *at<ServiceOrders>(layout_.service_orders, 0); }
  const SlotOrders& orders(std::uint32_t i) const { return *at<SlotOrders>(layout_.slot_orders, i); }
  const GossipHeader& gossip() const { return *at<GossipHeader>(layout_.gossip, 0); }
  const Slot& slot(std::uint32_t i) const { return *at<Slot>(layout_.slots, i); }
  PastTables past() const {
    const std::size_t slots = header().slots;
    return {.service = service(),
            .journal = *at<JournalTable>(layout_.journal, 0),
            .history = *at<HistoryTable>(layout_.history, 0),
            .busy_times = {at<Shared<std::uint64_t>>(layout_.busy_times, 0), slots + 1},
            .rows = {at<Slot>(layout_.slots, 0), slots}};
  }
  // The server's own file has no service.
  bool has_service() const { return header().slots > 0; }
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

std::vector<CounterSnapshot> read_counters(const Table& table) {
  const ServiceOrders& service = table.service();
  std::vector<CounterSnapshot> all;
  for (std::size_t place = 0; place < most_counters; ++place) {
    const CounterDescription counter = counter_at(service, place);
    if (counter.name.empty()) continue;
    std::uint64_t sum = counter.gauge ? 0 : service.gone.own[place].load(relaxed);
    for (std::uint32_t i = 0; i < table.header().slots; ++i)
      sum += table.slot(i).figures.own[place].load(relaxed);
    all.push_back({.name = escape(counter.name),
                   .help = escape(counter.help),
                   .gauge = counter.gauge,
                   .value = static_cast<std::int64_t>(sum)});
  }
  return all;
}

// What decides about the state of each child. If it is the same before and after a pass, all rows are of one
// moment: a child that has taken the place of another is not missing together with that one.
std::vector<std::uint64_t> read_phases(const Table& table) {
  std::vector<std::uint64_t> phases(table.header().slots);
  for (std::uint32_t i = 0; i < phases.size(); ++i)
    phases[i] = std::uint64_t{table.slot(i).lifecycle.load(std::memory_order_acquire)} << 32U |
                static_cast<std::uint32_t>(table.orders(i).order.load(std::memory_order_acquire));
  return phases;
}

// One pass over the rows of a service. False if a child ended during it: its figures would be missing or
// counted twice.
bool read_rows(const Table& table, const ServiceOrders& from, Time now, ServiceSnapshot& to) {
  const auto before = from.sequence.load(std::memory_order_acquire);
  to.children_started = from.children_started.load(relaxed);
  to.children_gone = from.children_gone.load(relaxed);
  to.children_failed = from.children_failed.load(relaxed);
  for (std::size_t i = 0; i < to.children_ended.size(); ++i)
    to.children_ended[i] = from.children_ended[i].load(relaxed);
  to.total = read_figures(from.gone, from.gone_not_accepted);
  to.counters = read_counters(table);
  to.slots.clear();
  for (std::size_t i = 0; i < to.refused.size(); ++i) to.refused[i] = from.refused_gone[i].load(relaxed);
  to.empty = to.starting = to.idle = to.busy = to.leaving = to.spare = to.stopped = to.open_connections = 0;
  to.uncounted = 0;
  for (std::uint32_t i = 0; i < table.header().slots; ++i) {
    to.slots.push_back(read_slot(table.slot(i), table.orders(i), table.is_idle(i), i, now));
    const SlotSnapshot& slot = to.slots.back();
    std::uint32_t* const counts[] = {&to.empty, &to.starting, &to.idle, &to.busy, &to.leaving};
    ++*counts[static_cast<std::size_t>(slot.state)];
    // It serves already, and the parent has yet to count it.
    if (slot.state != SlotState::empty && table.orders(i).pid.load(relaxed) == 0) ++to.children_started;
    to.spare += slot.spare ? 1 : 0;
    to.stopped += slot.stopped ? 1 : 0;
    to.open_connections += slot.open_connections;
    to.uncounted += slot.uncounted;
    to.total += slot.figures;
    for (std::size_t reason = 0; reason < to.refused.size(); ++reason)
      to.refused[reason] += table.slot(i).refused[reason].load(relaxed);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return before % 2 == 0 && from.sequence.load(relaxed) == before;
}

bool any_writes(const ServiceSnapshot& service) {
  return std::ranges::any_of(service.slots, [](const auto& slot) { return slot.torn && !slot.stopped; });
}

ServiceSnapshot read_service(const Table& table, Time now, bool may_wait) {
  const ServiceOrders& from = table.service();
  ServiceSnapshot to;
  to.name = to_string(from.name);
  to.listeners = to_string(from.listeners);
  const std::uint32_t state = from.state.load(relaxed);
  if (state < service_state_names.size()) to.state = static_cast<ServiceState>(state);
  to.scaled = from.scaled.load(relaxed) != 0;
  to.counts_connections = from.unreported.load(relaxed) == 0;
  to.generation = from.generation.load(relaxed);
  to.start_servers = from.start_servers.load(relaxed);
  to.min_spare_servers = from.min_spare_servers.load(relaxed);
  to.max_spare_servers = from.max_spare_servers.load(relaxed);
  to.max_clients = from.max_clients.load(relaxed);
  to.max_requests_per_child = from.max_requests_per_child.load(relaxed);
  to.max_clients_reached = from.max_clients_reached.load(relaxed);
  to.connection_timeouts = from.connection_timeouts.load(relaxed);
  to.recoveries = table.gossip().recoveries.load(relaxed);
  to.repairs = table.gossip().repairs.load(relaxed) + from.mended.load(relaxed);
  to.lost = from.lost.load(relaxed);
  to.detached = from.detached.load(relaxed);
  // While a start is tried, until it has turned out well, the service is throttled still.
  if (const std::int64_t until = from.throttled_until.load(relaxed); until != 0)
    to.throttled_for = std::chrono::nanoseconds(std::max<std::int64_t>(until - to_nanoseconds(now), 1));
  for (int i = 0, waited = 0; i < row_attempts; ++i) {
    const auto phases = read_phases(table);
    if (!read_rows(table, from, now, to) || (i < phase_attempts && phases != read_phases(table))) continue;
    if (!may_wait || !any_writes(to) || waited++ == waits_for_writers) break;
    std::this_thread::sleep_for(time_for_writers);
  }
  read_past(table.past(), now, to);
  // From the rows: what the parent saw at its last look may have changed.
  to.at_max_clients = to.children() + to.detached >= to.max_clients && to.spare == 0;
  return to;
}

Snapshot read_server(const ServerFields& from, Time now) {
  Snapshot to;
  to.name = to_string(from.name);
  to.parent_pid = from.parent_pid.load(relaxed);
  const auto started = start_time_of(to.parent_pid);
  to.parent_alive = started.has_value() && *started == from.parent_start_time;
  to.parent_state = to.parent_alive ? state_of(to.parent_pid) : '\0';
  if (to.parent_state == 'Z') to.parent_alive = false;
  const auto stop = static_cast<StopState>(from.stopping.load(relaxed));
  to.stopping = stop == StopState::stopping;
  to.draining = stop == StopState::draining;
  to.upgrades = from.upgrades.load(relaxed);
  to.age = std::chrono::nanoseconds(to_nanoseconds(now) - from.started_at);
  return to;
}

Snapshot read_all(const std::vector<Table>& tables, bool may_wait) {
  const Time now = Clock::now();
  Snapshot snapshot = read_server(tables.front().server(), now);
  for (const Table& table : tables)
    if (table.has_service()) snapshot.services.push_back(read_service(table, now, may_wait));
  return snapshot;
}

bool of_same_server(const ServerFields& one, const ServerFields& other) {
  return one.parent_pid.load(relaxed) == other.parent_pid.load(relaxed) &&
         one.parent_start_time == other.parent_start_time;
}

// One file or, in a directory, the server's file first and then those of its services in their order. A file
// that goes at this moment is that of a service that was removed.
std::vector<Table> tables_at(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<Table> tables;
  std::error_code failed;
  if (!fs::is_directory(path, failed)) {
    tables.emplace_back(path);
    return tables;
  }
  tables.emplace_back(ScoreboardPlace{path, true}.of_server());
  for (fs::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename();
    if (name.find('.') != std::string::npos) continue;  // the server's, or one that is not complete
    try {
      Table table(entry->path());
      if (table.has_service() && of_same_server(table.server(), tables.front().server()))
        tables.push_back(std::move(table));
    } catch (const SystemError& error) {
      if (error.error_number() != ENOENT) throw;
    }
  }
  if (failed) throw SystemError("read directory " + path, failed.value());
  std::sort(tables.begin() + 1, tables.end(), [](const Table& a, const Table& b) {
    return std::tuple(a.service().position, to_string(a.service().name)) <
           std::tuple(b.service().position, to_string(b.service().name));
  });
  return tables;
}

}  // namespace

FiguresSnapshot& FiguresSnapshot::operator+=(const FiguresSnapshot& other) {
  accepted += other.accepted;
  finished += other.finished;
  failed += other.failed;
  peers_gone += other.peers_gone;
  timed_out += other.timed_out;
  probes += other.probes;
  aborted += other.aborted;
  early_probes += other.early_probes;
  refused_proxy += other.refused_proxy;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  duration = sum(duration, other.duration);
  for (std::size_t i = 0; i < latency_buckets; ++i) latency[i] += other.latency[i];
  return *this;
}

std::chrono::microseconds FiguresSnapshot::latency_at(double share) const {
  const auto step = step_at(share, latency);
  return std::chrono::microseconds(step ? std::uint64_t{1} << *step : 0);
}

Snapshot Snapshot::read(const std::string& path) { return read_all(tables_at(path), true); }

ScoreboardReader::ScoreboardReader(std::span<const Descriptor> files) {
  if (files.empty()) throw Error("there is no scoreboard to read");
  const auto tables = std::make_shared<std::vector<Table>>();
  for (const Descriptor& file : files) tables->emplace_back(file);
  read_ = [tables](bool may_wait) { return read_all(*tables, may_wait); };
}

// Only root may write to /run. Other users have a directory if a session manager has created one.
std::string default_runtime_directory() {
  if (::geteuid() == 0) return "/run/brood";
  const char* own = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  return own != nullptr && *own == '/' ? text(std::string_view(own), "/brood")
                                       : text("/tmp/brood-", ::geteuid());
}

}  // namespace brood
