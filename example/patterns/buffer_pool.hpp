// SPDX-License-Identifier: MIT
// Buffers of one size, all made at the start. For one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace patterns {

class BufferPool {
 public:
  static constexpr std::size_t size = 16384;
  struct GiveBack {
    BufferPool* pool = nullptr;
    void operator()(char* buffer) const { pool->free_.push_back(buffer); }
  };
  using Buffer = std::unique_ptr<char, GiveBack>;

  explicit BufferPool(std::size_t number) : memory_(number * size) {
    for (std::size_t i = 0; i < number; ++i) free_.push_back(memory_.data() + i * size);
  }
  Buffer borrow() {  // empty: none is left
    if (free_.empty()) return {};
    char* const buffer = free_.back();
    free_.pop_back();
    return Buffer(buffer, GiveBack{this});
  }

 private:
  std::vector<char> memory_;
  std::vector<char*> free_;
};

}  // namespace patterns
