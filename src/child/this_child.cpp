// SPDX-License-Identifier: MIT
#include "brood/this_child.hpp"

#include "brood/error.hpp"
#include "child/child_process.hpp"
#include "child/child_signals.hpp"

namespace brood::this_child {

void stop() {
  if (!child_signals::of_child()) throw Error("this_child::stop() was called outside a child");
  child_signals::leave();
}

bool detach() {
  stop();
  ChildProcess* const child = ChildProcess::serving();
  return child != nullptr && child->detach();
}

}  // namespace brood::this_child
