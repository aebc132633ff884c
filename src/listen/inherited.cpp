// SPDX-License-Identifier: MIT
#include "listen/inherited.hpp"

#include <fcntl.h>

#include <algorithm>

namespace brood {
namespace {

// Not made at its first use: that would be in each child, which clears it.
constinit std::vector<Descriptor> kept;

auto find_kept(int descriptor) { return std::ranges::find(kept, descriptor, &Descriptor::get); }

}  // namespace

void keep_inherited(std::span<const int> descriptors) {
  for (const int descriptor : descriptors)
    if (find_kept(descriptor) == kept.end() && ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
      kept.emplace_back(descriptor);
}

Descriptor take_inherited(int descriptor) {
  const auto found = find_kept(descriptor);
  if (found == kept.end()) return Descriptor(descriptor);
  Descriptor taken = std::move(*found);
  kept.erase(found);
  return taken;
}

void give_back_inherited(Descriptor descriptor) { kept.push_back(std::move(descriptor)); }

std::vector<int> kept_inherited() {
  std::vector<int> descriptors;
  for (const Descriptor& each : kept) descriptors.push_back(each.get());
  return descriptors;
}

void close_inherited() { kept.clear(); }

}  // namespace brood
