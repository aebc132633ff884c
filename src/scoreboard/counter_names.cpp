// SPDX-License-Identifier: MIT
#include "scoreboard/counter_names.hpp"

#include <algorithm>
#include <cstring>

namespace brood {
namespace {

template <std::size_t size>
std::string_view text_of(const std::array<char, size>& from) {
  return {from.data(), ::strnlen(from.data(), size)};
}

bool is_wanted(const ServiceOrders& orders, std::size_t place, std::span<const CounterDescription> wanted) {
  const CounterDescription there = counter_at(orders, place);
  return std::ranges::any_of(
      wanted, [&](const auto& one) { return one.name == there.name && one.gauge == there.gauge; });
}

std::size_t place_for_new(const ServiceOrders& orders, std::span<const CounterDescription> wanted) {
  for (std::size_t place = 0; place < most_counters; ++place)
    if (counter_at(orders, place).name.empty()) return place;
  for (std::size_t place = 0; place < most_counters; ++place)
    if (!is_wanted(orders, place, wanted)) return place;
  return 0;  // not reached: there are not more wanted than places
}

// The first byte of the name comes last: a reader that sees it sees the whole.
void write(ServiceOrders& orders, std::size_t place, const CounterDescription& counter) {
  CounterName& to = orders.counters[place];
  to.name.fill('\0');
  to.help.fill('\0');
  orders.gone.own[place].store(0, relaxed);
  to.gauge.store(counter.gauge ? 1 : 0, relaxed);
  counter.help.copy(to.help.data(), to.help.size() - 1);
  counter.name.substr(1).copy(to.name.data() + 1, to.name.size() - 2);
  std::atomic_thread_fence(std::memory_order_release);
  to.name[0] = counter.name.front();
}

}  // namespace

CounterDescription counter_at(const ServiceOrders& orders, std::size_t place) {
  const CounterName& there = orders.counters[place];
  return {.name = text_of(there.name), .help = text_of(there.help), .gauge = there.gauge.load(relaxed) != 0};
}

std::optional<std::size_t> find_counter(const ServiceOrders& orders, std::string_view name, bool gauge) {
  for (std::size_t place = 0; place < most_counters; ++place) {
    const CounterDescription there = counter_at(orders, place);
    if (there.name == name && there.gauge == gauge) return place;
  }
  return {};
}

void publish_counters(ServiceOrders& orders, std::span<const CounterDescription> wanted) {
  for (const auto& counter : wanted)
    if (!find_counter(orders, counter.name, counter.gauge))
      write(orders, place_for_new(orders, wanted), counter);
}

}  // namespace brood
