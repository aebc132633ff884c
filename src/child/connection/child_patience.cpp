// SPDX-License-Identifier: MIT
// How a child limits its waits for clients while others wait for a child: the setting overload-read-timeout.
#include <algorithm>

#include "child/child_process.hpp"
#include "child/child_signals.hpp"
#include "child/connection/patience.hpp"
#include "listen/backlog.hpp"

namespace brood {

[[gnu::hot]] void ChildProcess::begin_read(int socket) {
  slot_.begin_read();
  child_signals::begin_read(socket);
}

bool ChildProcess::read_was_cut() const { return child_signals::read_was_cut(); }

[[gnu::hot]] void ChildProcess::end_read() {
  child_signals::end_read();
  slot_.end_read();
}

[[gnu::hot]] bool ChildProcess::overloaded() const {
  return slot_.overload_read_timeout() != std::chrono::nanoseconds::zero();
}

// A loop waits for its clients' input all the time.
void ChildProcess::begin_loop() {
  if (!wait_.own_loop()) slot_.begin_read();
}

unsigned ChildProcess::clients_waiting() const {
  unsigned waiting = 0;
  const WorkKind brings = server_.child_model().work;
  for (const auto& listener : wait_.listeners())
    waiting += count_backlog(listener.descriptor, listener.trigger ? WorkKind::triggers : brings);
  return waiting;
}

std::chrono::nanoseconds ChildProcess::patience(std::chrono::nanoseconds waited, std::uint64_t bytes) {
  const std::chrono::nanoseconds longest = slot_.overload_read_timeout();
  if (longest <= std::chrono::nanoseconds::zero() || leaving()) return no_limit;
  const unsigned waiting = clients_waiting();
  if (waiting == 0) return patience_check_interval;
  const auto left = patience_with(longest, waiting, slot_.places(), bytes) - waited;
  if (left > std::chrono::nanoseconds::zero()) {
    if (wait_.own_loop()) slot_.not_overdue();  // its connections are not in end_read()
    return std::min<std::chrono::nanoseconds>(left, patience_check_interval);
  }
  const bool ends = slot_.must_end(Clock::now() + left, waiting);
  return ends ? std::chrono::nanoseconds::zero() : patience_check_interval;
}

}  // namespace brood
