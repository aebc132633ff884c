// SPDX-License-Identifier: MIT
#include "pool/child_table.hpp"

#include <algorithm>

namespace brood {

std::optional<std::uint32_t> ChildTable::free_slot() const { return find(0); }

std::optional<std::uint32_t> ChildTable::find(pid_t pid) const {
  const auto found = std::ranges::find(records_, pid, &ChildRecord::pid);
  if (found == records_.end()) return {};
  return static_cast<std::uint32_t>(found - records_.begin());
}

unsigned ChildTable::count() const {
  return static_cast<unsigned>(
      std::ranges::count_if(records_, [](const ChildRecord& record) { return record.pid != 0; }));
}

std::vector<std::uint32_t> ChildTable::used() const {
  std::vector<std::uint32_t> slots;
  for (std::uint32_t slot = 0; slot < records_.size(); ++slot)
    if (records_[slot].pid != 0) slots.push_back(slot);
  return slots;
}

bool ChildTable::all_lost() const {
  return std::ranges::all_of(records_, [](const ChildRecord& record) {
    return record.pid == 0 || record.escalation == Escalation::lost;
  });
}

}  // namespace brood
