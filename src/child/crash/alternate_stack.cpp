// SPDX-License-Identifier: MIT
#include "child/crash/alternate_stack.hpp"

#include <sys/mman.h>

#include <csignal>

namespace brood {
namespace {

// Not an array: it would lie between the variables that a child writes, and put them into more pages.
void* main_stack = nullptr;

// nullptr: there is none.
void* map_stack() {
  void* const memory = ::mmap(nullptr, AlternateStack::size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

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
  memory_ = map_stack();
  if (memory_ == nullptr) return;
  use(memory_);
}

AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, size);
}

void AlternateStack::of_main_thread() {
  if (main_stack != nullptr && !thread_has_one()) use(main_stack);
}

void AlternateStack::prepare() {
  if (main_stack == nullptr) main_stack = map_stack();
}

}  // namespace brood
