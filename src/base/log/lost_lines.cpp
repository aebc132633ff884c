// SPDX-License-Identifier: MIT
#include "base/log/lost_lines.hpp"

#include <sys/mman.h>

#include <new>

namespace brood {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

LostLines::LostLines()
    : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
      shared_(memory_ == MAP_FAILED ? &alone_ : new (memory_) Shared) {}

LostLines::~LostLines() {
  if (memory_ != MAP_FAILED) ::munmap(memory_, sizeof(Shared));
}

void LostLines::add(std::int64_t now) {
  if (shared_->lines.fetch_add(1) == 0) shared_->since = now;
}

LostLines::Count LostLines::take() {
  const std::int64_t since = shared_->since;
  return {.lines = shared_->lines.exchange(0), .since = since};
}

void LostLines::give_back(const Count& count) {
  shared_->lines.fetch_add(count.lines);
  shared_->since = count.since;
}

}  // namespace brood
