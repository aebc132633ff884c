// SPDX-License-Identifier: MIT
// Signals as data. The parent blocks all signals and reads those that it obeys from a descriptor. Children
// unblock them after their handlers are set up, so that none is lost.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

void block_all_signals();  // in this thread, and in processes that it forks
void unblock_all_signals();
// Signals that would end the process, and that nobody asked for: SIGXFSZ comes from the kernel when a file
// (the log, say) has reached its limit, SIGPIPE when a reader is gone, the others from whoever mistakes this
// process for another. They do nothing from now on, unless they have another action than the default already.
// write() fails then. Programs that are executed have the default actions again. SIGXCPU is asked for: by
// whoever limits the processor time.
void disarm_signals();
// Default actions, and none blocked, as other programs expect. May be called between fork() and exec() of a
// process that has threads.
void default_signals();

// In a short-lived process: it ends itself within a second after this time. The next program of the parent's
// process may not know of it. Other signals stay blocked: a SIGHUP to the whole process group is for the
// parent.
void end_process_after(std::chrono::milliseconds time);

// "HUP", "SIGHUP" or "1". Empty: it is no signal.
std::optional<int> find_signal(std::string_view word);
std::string name_of_signal(int signal);  // "SIGHUP"; its number if it has no name

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
