// SPDX-License-Identifier: MIT
#include "child/crash/alternate_stack.hpp"

#include <sys/mman.h>

#include <array>
#include <csignal>

namespace brood {
namespace {

// Zeros that no file holds, in pages of their own.
alignas(4096) std::array<std::byte, AlternateStack::size> main_stack;

bool thread_has_one() {
  stack_t present{};
  return ::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0;
}

void use(void* memory) {
  const stack_t stack{.ss_sp = memory, .ss_flags = 0, .ss_size = AlternateStack::size};
  ::sigaltstack(&stack, nullptr);  // can't fail: it is large enough, and none is in use
}

}  // namespace

AlternateStack::AlternateStack() {
  if (thread_has_one()) return;
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  use(memory_);
}

AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, size);
}

void AlternateStack::of_main_thread() {
  if (!thread_has_one()) use(main_stack.data());
}

}  // namespace brood
