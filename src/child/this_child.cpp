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

Load load() {
  const ChildProcess* const child = ChildProcess::serving();
  if (child == nullptr) throw Error("this_child::load() was called outside a child that serves");
  return child->load();
}

void measure_wait() {
  if (!child_signals::of_child()) throw Error("this_child::measure_wait() was called outside a child");
  ChildProcess::measure_wait();
}

}  // namespace brood::this_child
