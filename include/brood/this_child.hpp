// SPDX-License-Identifier: MIT
// What a handler can ask of the child that it runs in. Outside a child the functions throw brood::Error.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>

namespace brood::this_child {

// Makes this child leave. It accepts no more connections, finishes its open connections, and exits with code
// 0; the parent replaces it. Returns at once. Any thread, any child model, from on_child_start() on, and in a
// signal handler. If the child has neither finished a connection nor been ready for a second, it counts as
// a failed start.
void stop();

// Makes this child leave, and gives its slot back at once, so that another child takes its place while this
// one finishes its open connections, those of other threads as well. It exits when the last handler has
// returned. From a handler, in any child model. False: there is no slot to give back, because the child does
// not serve yet or the parent is gone; the child then leaves as after stop().
//
// broodctl counts the open connections as finished now; later bytes are not counted. The parent no longer
// applies connection-timeout. A child that lives longer than detach-timeout gets SIGABRT, then SIGKILL.
// Detached children count against max-clients.
bool detach();

// How full the service is.
struct Load {
  unsigned spares = 0;   // children that can take another connection now
  unsigned busy = 0;     // children with an open connection, this one too
  unsigned waiting = 0;  // connections in the queues of the listeners
  // For how long a client that comes now will wait if no further child is started: by Little's law, the time
  // in which those before it are served, (waiting + 1 - spares) * duration / children, at the mean duration
  // of the connections that these children have finished.
  std::chrono::milliseconds expected_wait{0};
};
// Costs a system call for each listener and a look at the row of each child. A handler can answer more
// cheaply when many wait. Any thread.
Load load();

// From now on, Ended::waited says how long a TCP connection was in the queue of its listener before this
// child accepted it. Costs one system call for each connection. The setting access-log does the same. Any
// thread.
void measure_wait();

// For a thread that the server starts itself, as a variable in its first function: if the thread crashes by a
// stack overflow, its stack is in the log, too. Other crashes need nothing, and the threads of the kit have
// it. It maps 64 KiB, and touches none of it. A thread that has an alternate stack keeps that.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace brood::this_child
