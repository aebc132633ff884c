// SPDX-License-Identifier: MIT
// Signals become data. The parent blocks them all, for good, and reads those that it obeys from a descriptor;
// children unblock them again after their own set-up, so that none arrives in between.
#pragma once

#include <initializer_list>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

void block_all_signals();  // of this thread, and of processes forked from here on
void unblock_all_signals();
// As a program expects them that knows nothing of us: default actions, none blocked. Also between fork() and
// exec() of a process that has threads.
void default_signals();

class SignalDescriptor {
 public:
  SignalDescriptor() = default;  // none
  explicit SignalDescriptor(std::initializer_list<int> signals);
  int descriptor() const { return descriptor_.get(); }
  std::vector<int> arrived() const;  // the numbers of the signals that have, since it was asked last

 private:
  Descriptor descriptor_;
};

}  // namespace brood
