// SPDX-License-Identifier: MIT
// Tells a service manager what the server does: systemd by sd_notify(3), in its protocol of datagrams to the
// socket NOTIFY_SOCKET, and s6 by a newline to a descriptor. Parent only. It never waits, and without a
// service manager it costs nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"
#include "parent/server_program.hpp"

namespace brood {

// What is to be told next. Pure: the time is an argument.
class ManagerMessages {
 public:
  // `watchdog`: how often the manager wants to hear that the parent runs; empty: it does not.
  explicit ManagerMessages(std::optional<std::chrono::microseconds> watchdog);

  // The next datagram; empty: there is none now. `load` is called if it is time for that. Call it until it is
  // empty.
  std::string next(const ServerState& state, const std::function<ServerLoad()>& load, Time now);
  Time look_again() const { return look_again_; }

 private:
  std::string next_state(const ServerState& state, Time now);
  std::string next_status(const ServerState& state, const std::function<ServerLoad()>& load, Time now);
  bool due(Time& at, Clock::duration period, Time now);

  const std::optional<Clock::duration> watchdog_;
  bool told_ready_ = false, told_stopping_ = false;
  std::uint64_t told_reloads_ = 0;
  std::string told_status_;
  Time status_at_{}, watchdog_at_{}, extend_at_{};
  Time look_again_ = never;
};

class ServiceManager {
 public:
  // `notify_descriptor`: gets a newline when the server is ready; -1: there is none.
  explicit ServiceManager(int notify_descriptor);

  // Returns when to call this again.
  Time tell(const ServerState& state, const std::function<ServerLoad()>& load, Time now);
  // In a child: it is nobody that the manager knows.
  void forget();

 private:
  bool send(const std::string& message);

  std::string path_;  // "": there is no systemd
  Descriptor socket_;
  Descriptor newline_to_;
  ManagerMessages messages_;
  std::string unsent_;
  bool failed_ = false;
};

}  // namespace brood
