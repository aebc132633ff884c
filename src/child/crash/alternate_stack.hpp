// SPDX-License-Identifier: MIT
// The stack on which the handler of a fault runs: the thread's own may be full. In a child.
#pragma once

#include <cstddef>

namespace brood {

class AlternateStack {
 public:
  // What the unwinder needs, beside the registers that the kernel puts there.
  static constexpr std::size_t size = std::size_t{64} << 10U;

  // Of the calling thread, until this object ends there. A thread that has one keeps it. Memory that nothing
  // has touched costs nothing. Without memory the handler runs on the thread's own stack.
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

  // The same for the main thread, for ever, with the memory that prepare() has mapped in the parent.
  static void of_main_thread();
  static void prepare();

 private:
  void* memory_ = nullptr;
};

}  // namespace brood
