// SPDX-License-Identifier: MIT
// Signals as data. The parent blocks all signals and reads those that it obeys from a descriptor. Children
// unblock them after their handlers are set up, so that none is lost.
#pragma once

#include <initializer_list>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

void block_all_signals();  // in this thread, and in processes that it forks
void unblock_all_signals();
// Default actions, and none blocked, as other programs expect. May be called between fork() and exec() of a
// process that has threads.
void default_signals();

class SignalDescriptor {
 public:
  SignalDescriptor() = default;  // none
  explicit SignalDescriptor(std::initializer_list<int> signals);
  int descriptor() const { return descriptor_.get(); }
  std::vector<int> arrived() const;  // the signals that have arrived since the last call

 private:
  Descriptor descriptor_;
};

}  // namespace brood
