// SPDX-License-Identifier: MIT
// The setting status-listen: its sockets, and the process that answers there (reporter.hpp), which is started
// again when it ends. The parent never reads a byte from those clients. Parent only; it never waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"
#include "listen/listener.hpp"
#include "parent/server_program.hpp"
#include "upgrade/takeover.hpp"

namespace brood {

// When the process that has ended is started again. Pure: the time is an argument.
class ReporterDelay {
 public:
  // One that has lasted for a while is replaced at once, others after 1 s, 2 s, 4 s ... 60 s.
  void ended(Time started, Time now);
  void start_over() { *this = {}; }
  Time may_start() const { return may_start_; }
  Clock::duration delay() const { return delay_; }

 private:
  Clock::duration delay_{};
  Time may_start_ = Time::min();
};

class StatusListener {
 public:
  // `written`: the setting; "": there is no listener. What a former program has left is used if it is at this
  // address. If a process of a server that was killed has the address still, this waits for a moment. Throws
  // SystemError or ConfigurationError.
  void open(const std::string& written, const HandedOver* from);
  void take_over(Takeover& takeover);  // in the last step
  // A reload: if it throws, nothing has changed.
  void change(const std::string& written);
  std::vector<HandedOverListener> hand_over() const;

  // Starts the process if there is none, and replaces the one that does not know all. Returns when to look
  // again.
  Time look(const ReporterHost& host, const std::string& scoreboard, Time now);
  bool reaped(pid_t pid, int code, int status, Time now);  // false: it is another process
  void forget();                                           // in another process: closes all

 private:
  struct Process {
    pid_t pid = 0;
    std::uint64_t epoch = 0;
    std::size_t services = 0;
    Time started{};
    Descriptor end;  // of the pipe: closing it ends the process
  };

  void start(const ReporterHost& host, const std::string& scoreboard, Time now);

  std::string written_;
  std::vector<Listener> listeners_;
  std::vector<HandedOverListener> left_;  // by the former program, until take_over()
  Process process_;                       // pid 0: there is none
  std::vector<pid_t> leaving_;
  ReporterDelay delay_;
};

}  // namespace brood
