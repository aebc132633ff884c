// SPDX-License-Identifier: MIT
#include "child/child_process.hpp"

#include "child/child_signals.hpp"

namespace brood {

using namespace std::chrono_literals;

ChildProcess::ChildProcess(const ChildSetup& setup)
    : limits_(setup.limits),
      parent_(setup.parent),
      server_(*setup.server),
      detach_timeout_(setup.scoreboard->service(setup.service).detach_timeout.load()),
      slot_(*setup.scoreboard, setup.service, setup.slot, setup.wake_fd,
            {.connections = limits_.connections, .threads = limits_.threads > 1}),
      wait_(setup.listeners, limits_.threads) {
  child_signals::set_up(slot_, wait_.listeners(), parent_, wait_.dead());
}

std::unique_lock<std::mutex> ChildProcess::turn() const {
  return limits_.threads > 1 ? std::unique_lock(turn_) : std::unique_lock(turn_, std::defer_lock);
}

bool ChildProcess::leaving() const { return child_signals::retired() || slot_.must_leave(); }

void ChildProcess::finished(Connection connection, Outcome outcome) {
  connection.close();
  finished(connection.id(), outcome, connection.bytes_read(), connection.bytes_written());
}

void ChildProcess::finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                            std::uint64_t bytes_written) {
  slot_.finished(id, outcome == Outcome::failed, bytes_read, bytes_written);
  if (leaving()) return;
  const auto turn = this->turn();
  if (state_.accepts() && back_off_.load() == 0ms) wait_.set_watched(true);
  if (slot_.outdated() || slot_.at_cap()) act(state_.replacement_due());
}

void ChildProcess::watch_listeners(int epoll, std::uint64_t data) { wait_.watch_listeners(epoll, data); }
int ChildProcess::listener_fd() { return wait_.listener_fd(); }
int ChildProcess::leave_fd() { return wait_.leave_fd(); }

}  // namespace brood
