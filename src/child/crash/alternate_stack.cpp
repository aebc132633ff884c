// SPDX-License-Identifier: MIT
#include "child/crash/alternate_stack.hpp"

#include <sys/mman.h>

#include <csignal>
#include <cstddef>

#include "brood/this_child.hpp"

namespace brood {
namespace {

// What the unwinder needs, beside the registers that the kernel puts there. Memory that nothing has touched
// costs nothing.
constexpr std::size_t alternate_size = std::size_t{64} << 10U;

// Not an array: it would lie between the variables that a child writes, and put them into more pages.
void* main_stack = nullptr;

// nullptr: there is none.
void* map_stack() {
  void* const memory = ::mmap(nullptr, alternate_size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

bool thread_has_one() {
  stack_t present{};
  return ::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0;
}

void use(void* memory) {
  const stack_t stack{.ss_sp = memory, .ss_flags = 0, .ss_size = alternate_size};
  ::sigaltstack(&stack, nullptr);  // can't fail: it is large enough, and none is in use
}

}  // namespace

this_child::AlternateStack::AlternateStack() {
  if (thread_has_one()) return;
  memory_ = map_stack();
  if (memory_ != nullptr) use(memory_);  // else the handler runs on the thread's own stack
}

this_child::AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, alternate_size);
}

void use_alternate_stack_of_main_thread() {
  if (main_stack != nullptr && !thread_has_one()) use(main_stack);
}

void prepare_alternate_stack() {
  if (main_stack == nullptr) main_stack = map_stack();
}

}  // namespace brood
