// SPDX-License-Identifier: MIT
#include "scoreboard/client_table.hpp"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace brood {
namespace {

// ---- A place: the upper half of the client's hash, slot, seal (15 bits, not 0), and whether the connection
// was let in. 0: free.
constexpr std::uint64_t open_bit = 1;
constexpr unsigned mark_shift = 32, slot_shift = 16;
constexpr unsigned patience = 1000;  // looks at siblings that want the last places of the same client
constexpr std::size_t smallest_region = 64;

std::uint64_t mark_of(ClientHash client) { return client >> mark_shift; }

// ---- A cell: the upper bits of the client's hash, and a time in microseconds, which begins again at 0 after
// twelve days.
constexpr unsigned time_bits = 40;
constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;
constexpr std::uint64_t longest_debt = time_mask / 4;
constexpr std::size_t cells_together = cache_line / sizeof(std::uint64_t);
constexpr int attempts = 16;

std::uint64_t mixed(std::uint64_t value) {  // the last step of MurmurHash3
  value = (value ^ (value >> 33U)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33U)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33U);
}

}  // namespace

ClientHash hash_of(std::span<const std::uint8_t> client, std::uint64_t seed) {
  std::uint64_t hash = mixed(seed ^ client.size());
  while (!client.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(client.size(), sizeof word);
    std::memcpy(&word, client.data(), size);
    hash = mixed(hash ^ word) + seed;
    client = client.subspan(size);
  }
  return mixed(hash);
}

ClientCounts::ClientCounts(const Scoreboard& scoreboard, std::uint32_t slot, unsigned most)
    : scoreboard_(scoreboard),
      most_(most),
      owner_(slot << slot_shift | seal_of(scoreboard.slot_orders(slot).incarnation.load(relaxed), slot)
                                      << 1U) {}

bool ClientCounts::is_of_a_child(std::uint64_t place) const {
  const auto slot = static_cast<std::uint32_t>(place >> slot_shift & 0xffffU);
  if (slot >= scoreboard_.slots()) return false;
  const SlotOrders& orders = scoreboard_.slot_orders(slot);
  return (place >> 1U & 0x7fffU) == seal_of(orders.incarnation.load(relaxed), slot) &&
         orders.pid.load(relaxed) != 0;
}

ClientCounts::Places ClientCounts::region_of(ClientHash client) const {
  const Places all = scoreboard_.client_places();
  const std::size_t size =
      std::min(all.size(), std::max(smallest_region, std::bit_ceil(std::size_t{4} * most_)));
  return all.subspan(client & (all.size() - 1) & ~(size - 1), size);
}

ClientCounts::Found ClientCounts::look(Places region, std::uint64_t mark) const {
  Found found;
  for (Place place = 0; place < region.size(); ++place) {
    const std::uint64_t value = region[place].load(std::memory_order_seq_cst);
    if (value >> mark_shift != mark || !is_of_a_child(value)) continue;
    if ((value & open_bit) != 0) {
      ++found.open;
    } else {
      ++found.coming;
      found.first_coming = std::min(found.first_coming, place);
    }
  }
  return found;
}

// First the places that nobody has used, then those of children that have ended.
ClientCounts::Place ClientCounts::insert(Places region, std::uint64_t coming) const {
  for (const bool unused : {true, false})
    for (Place place = 0; place < region.size(); ++place) {
      std::uint64_t value = region[place].load(relaxed);
      if (unused ? value != 0 : is_of_a_child(value)) continue;
      if (region[place].compare_exchange_strong(value, coming, std::memory_order_seq_cst)) return place;
    }
  return no_place;
}

// A connection is written down first, as coming, and then counted with all others. So whoever comes last sees
// all of them, and there are never more than `most`. If too many come at once, those behind the first one
// step back until it is in.
std::optional<ClientCounts::Place> ClientCounts::take(ClientHash client) const {
  const std::uint64_t mark = mark_of(client);
  const std::uint64_t coming = mark << mark_shift | owner_;
  const Places region = region_of(client);
  Place place = no_place;
  for (unsigned looks = 0; looks < patience; ++looks) {
    if (place == no_place) place = insert(region, coming);
    if (place == no_place) return place;
    const Found found = look(region, mark);
    if (found.open >= most_) break;
    if (found.open + found.coming <= most_) {
      region[place].store(coming | open_bit, std::memory_order_seq_cst);
      return static_cast<Place>(&region[place] - scoreboard_.client_places().data());
    }
    if (found.first_coming < place) {
      give_back(region[place]);
      place = no_place;
    }
    ::sched_yield();
  }
  if (place != no_place) give_back(region[place]);
  return {};
}

void ClientCounts::give_back(Place place) const {
  const Places all = scoreboard_.client_places();
  if (place < all.size()) give_back(all[place]);
}

void ClientCounts::give_back(Shared<std::uint64_t>& place) const {
  std::uint64_t value = place.load(relaxed);
  const bool own = (static_cast<std::uint32_t>(value) & ~static_cast<std::uint32_t>(open_bit)) == owner_;
  if (own) place.compare_exchange_strong(value, 0, std::memory_order_seq_cst);
}

unsigned ClientCounts::count(ClientHash client) const {
  return look(region_of(client), mark_of(client)).open;
}

ClientRates::ClientRates(const Scoreboard& scoreboard, std::chrono::microseconds interval, unsigned burst)
    : cells_(scoreboard.client_rates()),
      interval_(static_cast<std::uint64_t>(std::max<std::chrono::microseconds::rep>(interval.count(), 1))),
      tolerance_(std::min((std::max(burst, 1U) - 1) * interval_, longest_debt)) {}

bool ClientRates::take(ClientHash client, Time now) const {
  const auto time = static_cast<std::uint64_t>(to_nanoseconds(now)) / 1000 & time_mask;
  const std::uint64_t mark = client >> time_bits;
  const auto debt_of = [&](std::uint64_t cell) {
    const std::uint64_t debt = (cell - time) & time_mask;
    return debt > tolerance_ + interval_ ? 0 : debt;  // it is in the past, or nonsense
  };
  const std::span cells =
      cells_.subspan((client & (cells_.size() / cells_together - 1)) * cells_together, cells_together);
  for (int i = 0; i < attempts; ++i) {
    Shared<std::uint64_t>* found = nullptr;
    std::uint64_t value = 0, debt = 0;
    for (auto& cell : cells) {
      const std::uint64_t its = cell.load(relaxed), its_debt = debt_of(its);
      const bool own = its >> time_bits == mark;
      if (found == nullptr || own || its_debt < debt) {
        found = &cell;
        value = its;
        debt = its_debt;
      }
      if (own) break;
    }
    if (value >> time_bits != mark) debt = 0;
    if (debt > tolerance_) return false;
    const std::uint64_t paid = (time + debt + interval_) & time_mask;
    if (found->compare_exchange_strong(value, mark << time_bits | paid, relaxed)) return true;
  }
  return true;  // others are faster
}

}  // namespace brood
