// SPDX-License-Identifier: MIT
// A cache in memory that processes share. The lock of a cell outlives who held it.
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <brood/error.hpp>
#include <cerrno>
#include <cstdint>
#include <new>

namespace patterns {

class SharedCache {
 public:
  // In the parent, before the first fork. It is there for as long as a process has it.
  static SharedCache* map() {
    void* const place =
        mmap(nullptr, sizeof(SharedCache), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw brood::SystemError("map shared memory", errno);
    return new (place) SharedCache();
  }

  // The value of the key, or what `compute` makes of it. Of two that want the same at once, one computes and
  // the other one waits.
  template <typename Compute>
  std::uint64_t get(std::uint64_t key, Compute compute) {
    Cell& cell = cells_[key % cells_.size()];
    const Lock lock(cell);
    const bool known = cell.key == key + 1;
    ++(known ? hits_ : misses_);
    if (known) return cell.value;
    cell.key = 0;  // whoever is killed here leaves an empty cell
    cell.value = compute(key);
    cell.key = key + 1;
    return cell.value;
  }
  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct Cell {
    pthread_mutex_t mutex;
    std::uint64_t key, value;  // the key plus 1; 0: empty
  };
  struct Lock {
    explicit Lock(Cell& locked) : cell(locked) {
      if (pthread_mutex_lock(&cell.mutex) == EOWNERDEAD) pthread_mutex_consistent(&cell.mutex);
    }
    ~Lock() { pthread_mutex_unlock(&cell.mutex); }
    Cell& cell;
  };

  SharedCache() {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    for (auto& cell : cells_) pthread_mutex_init(&cell.mutex, &kind);
    pthread_mutexattr_destroy(&kind);
  }

  std::atomic<std::uint64_t> hits_ = 0, misses_ = 0;
  std::array<Cell, 1024> cells_{};
};

}  // namespace patterns
