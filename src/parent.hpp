// SPDX-License-Identifier: MIT
// The parent: owns services, scoreboard and signals, and waits in one place. It never reads a byte from a
// client.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brood/descriptor.hpp"
#include "parent_lock.hpp"
#include "roster.hpp"
#include "scoreboard.hpp"
#include "signals.hpp"

namespace brood {

struct ParentDuties {
  std::string name;
  std::string scoreboard_path;         // "": anonymous
  std::uint32_t reserved_entries = 0;  // on the scoreboard, for services that come later
  bool all_or_none = true;             // it isn't ready while one of the services fails
  // SIGHUP, in two steps: reads and checks, and returns the services that are wanted (throws, and then all
  // stays as it was); then, when the services have taken theirs, puts in force what is the program's own, but
  // for those that could not. `only`: the service that it is about; "": all.
  std::function<std::vector<WantedService>()> read_again;
  std::function<void(const std::string& only, const std::vector<std::string>& refused)> commit;
  std::function<std::chrono::milliseconds()> graceful_timeout;
  std::function<void()> in_child;      // in a fresh child: closes what is the program's alone
  std::function<void()> on_not_ready;  // before that, a child has failed: once
  std::function<void()> on_ready;      // the first child of each service can take a connection
};

class Parent {
 public:
  Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services);
  ~Parent();
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  int run();  // until it has stopped; the exit code

 private:
  void obey(int signal);
  // service; "": all. Throws, and everything is as before. What only some can't take is logged.
  void reload(const std::string& only);
  void try_reload(const std::string& only);  // logs what is thrown
  void tell_hooks(const std::vector<Service*>& services) const;
  void reopen_logs();
  void stop();
  void stop_now();
  void reap();
  void bury(pid_t pid, int code, int status, Time now);
  void note_stop(pid_t pid, bool is_stopped);
  Time look(Time now);
  bool ended() const;
  void wait(Time until);
  void in_child();
  bool is_child(pid_t pid) const;

  ParentDuties duties_;
  Roster services_;
  Scoreboard scoreboard_;
  ParentLock lock_;
  SignalDescriptor signals_;
  Descriptor wake_;
  bool ready_ = false;
  bool told_not_ready_ = false;
  bool stopping_ = false;

  int exit_code_ = 0;
};

}  // namespace brood
