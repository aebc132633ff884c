// SPDX-License-Identifier: MIT
// What the tables of a scoreboard are made of: atomics that need no lock, in any process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace brood {

inline constexpr std::size_t cache_line = 64;
inline constexpr auto relaxed = std::memory_order_relaxed;

template <typename T>
using Shared = std::atomic<T>;
static_assert(Shared<std::uint64_t>::is_always_lock_free && Shared<std::uint32_t>::is_always_lock_free);

// For a field with one writer: a load and a store, no locked instruction.
template <typename T>
void add(Shared<T>& to, std::type_identity_t<T> amount) {
  to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

template <typename T>
void raise(Shared<T>& to, std::type_identity_t<T> value) {
  if (to.load(std::memory_order_relaxed) < value) to.store(value, std::memory_order_relaxed);
}

template <std::size_t bytes>
using SharedBytes = std::array<Shared<std::uint64_t>, bytes / 8>;

}  // namespace brood
