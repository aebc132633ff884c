// SPDX-License-Identifier: MIT
#include "ctl/top/model.hpp"

#include <algorithm>
#include <utility>

namespace brood::ctl {
namespace {

template <typename Number>
Number added(Number before, Number now) {
  return now > before ? now - before : Number{};
}

std::size_t find(const Snapshot& snapshot, const std::string& name) {
  const auto found = std::ranges::find(snapshot.services, name, &ServiceSnapshot::name);
  return static_cast<std::size_t>(found - snapshot.services.begin());
}

std::vector<double> rates_of_children(const ServiceSnapshot& before, const ServiceSnapshot& now,
                                      Seconds elapsed) {
  std::vector<double> rates(now.slots.size());
  for (std::size_t i = 0; i < now.slots.size() && i < before.slots.size(); ++i)
    if (now.slots[i].incarnation == before.slots[i].incarnation)
      rates[i] = rates_between(before.slots[i].figures, now.slots[i].figures, elapsed).accepted;
  return rates;
}

void add_points(ServiceModel& model, std::uint32_t busy, bool compared, std::chrono::milliseconds step) {
  model.busy.step = model.connections.step = step;
  model.busy.add(busy);
  if (compared) model.connections.add(model.rates.accepted);
}

}  // namespace

Rates rates_between(const FiguresSnapshot& before, const FiguresSnapshot& now, Seconds elapsed) {
  Rates rates;
  if (elapsed <= Seconds::zero()) return rates;
  FiguresSnapshot& to = rates.added;
  for (const auto figure :
       {&FiguresSnapshot::accepted, &FiguresSnapshot::finished, &FiguresSnapshot::failed,
        &FiguresSnapshot::peers_gone, &FiguresSnapshot::timed_out, &FiguresSnapshot::probes,
        &FiguresSnapshot::aborted, &FiguresSnapshot::early_probes, &FiguresSnapshot::refused_proxy,
        &FiguresSnapshot::bytes_read, &FiguresSnapshot::bytes_written})
    to.*figure = added(before.*figure, now.*figure);
  to.duration = added(before.duration, now.duration);
  for (std::size_t i = 0; i < to.latency.size(); ++i)
    to.latency[i] = added(before.latency[i], now.latency[i]);
  const auto a_second = [&](std::uint64_t count) { return static_cast<double>(count) / elapsed.count(); };
  rates.accepted = a_second(to.accepted);
  rates.finished = a_second(to.finished);
  rates.read_bytes = a_second(to.bytes_read);
  rates.written_bytes = a_second(to.bytes_written);
  return rates;
}

Model after(const Model& before, Snapshot snapshot, std::chrono::steady_clock::time_point at) {
  Model now;
  now.at = at;
  now.step = before.step;
  const bool same = before.snapshot.parent_pid == snapshot.parent_pid && before.snapshot.age < snapshot.age &&
                    !before.snapshot.services.empty();
  // The age is of the moment of reading, so it is exact.
  const Seconds elapsed = snapshot.age - before.snapshot.age;
  if (same) now.all = before.all;
  now.all.rates = {};
  for (const ServiceSnapshot& service : snapshot.services) {
    ServiceModel& model = now.services.emplace_back();
    const std::size_t was = same ? find(before.snapshot, service.name) : before.snapshot.services.size();
    const bool compared = was < before.snapshot.services.size();
    if (compared) {
      model = before.services[was];
      model.rates = rates_between(before.snapshot.services[was].total, service.total, elapsed);
      model.child_rates = rates_of_children(before.snapshot.services[was], service, elapsed);
    }
    model.child_rates.resize(service.slots.size());
    add_points(model, service.busy, compared, now.step);
    now.all.rates.added += model.rates.added;
    now.all.rates.accepted += model.rates.accepted;
    now.all.rates.finished += model.rates.finished;
    now.all.rates.read_bytes += model.rates.read_bytes;
    now.all.rates.written_bytes += model.rates.written_bytes;
  }
  add_points(now.all, sum_of(snapshot).busy, same, now.step);
  now.snapshot = std::move(snapshot);
  return now;
}

std::chrono::nanoseconds time_in_state(const SlotSnapshot& slot) {
  if (slot.open_connections > 0) return slot.busy_for;
  return slot.state == SlotState::starting || slot.idle_for.count() == 0 ? slot.age : slot.idle_for;
}

ServiceSnapshot sum_of(const Snapshot& snapshot) {
  ServiceSnapshot sum;
  sum.counts_connections = std::ranges::any_of(snapshot.services, &ServiceSnapshot::counts_connections);
  for (const auto& service : snapshot.services) {
    for (const auto count :
         {&ServiceSnapshot::max_clients, &ServiceSnapshot::empty, &ServiceSnapshot::starting,
          &ServiceSnapshot::idle, &ServiceSnapshot::busy, &ServiceSnapshot::leaving, &ServiceSnapshot::spare,
          &ServiceSnapshot::stopped, &ServiceSnapshot::lost, &ServiceSnapshot::detached,
          &ServiceSnapshot::open_connections, &ServiceSnapshot::uncounted, &ServiceSnapshot::waiting})
      sum.*count += service.*count;
    sum.children_failed += service.children_failed;
    sum.total += service.total;
  }
  return sum;
}

}  // namespace brood::ctl
