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
#include "scoreboard.hpp"
#include "service.hpp"
#include "signals.hpp"
#include "upgrade.hpp"

namespace brood {

struct ParentDuties {
  std::string name;
  std::string scoreboard_path;  // "": anonymous
  // SIGHUP, in two steps: reads and checks, and returns the services' configurations, each known by its name
  // (throws, and then all stays as it was); then, when the services have taken theirs, puts in force what is
  // the program's own. `only`: the service that it is about; "": all.
  std::function<std::vector<ServiceConfiguration>()> read_again;
  std::function<void(const std::string& only)> commit;
  std::function<std::chrono::milliseconds()> graceful_timeout;
  std::function<void()> in_child;      // in a fresh child: closes what is the program's alone
  std::function<void()> on_not_ready;  // before that, a child has failed: once
  // The first child of each service can take a connection. `addresses`: of all listeners, for people.
  std::function<void(const std::string& addresses)> on_ready;
  Executable program;  // of this process
  // What of the program itself is left to its successor.
  std::function<void(Inheritance&)> hand_over;
};

class Parent {
 public:
  Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services);
  // Over what a former program left: changes nothing of it before take_over().
  Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services, const Heir& heir);
  ~Parent();
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  void take_over(Heir& heir);  // from here on it is the parent; nothing fails any more
  int run();                   // until it has stopped; the exit code

  // Replaces the running program by the one that stands in its place by now, in this process: SIGUSR2.
  // Returns at once; what came of it is told by last_upgrade(), of this program or of the new one, and in the
  // log.
  void upgrade();
  struct UpgradeOutcome {
    enum class State { none, under_way, done, refused } state = State::none;
    std::string message;  // done, refused: for people
  };
  UpgradeOutcome last_upgrade() const;

 private:
  Parent(ParentDuties&& duties, std::vector<std::unique_ptr<Service>>&& services, Scoreboard scoreboard,
         Descriptor wake);
  std::uint32_t index_of(const std::string& service) const;
  Inheritance bequest() const;
  void obey(int signal);
  void reload(const std::string& only);  // service; "": all
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
  Service* find(std::string_view service) const;  // nullptr: there is none of that name

  ParentDuties duties_;
  std::vector<std::unique_ptr<Service>> services_;
  Scoreboard scoreboard_;
  ParentLock lock_;
  SignalDescriptor signals_;
  Descriptor wake_;
  bool ready_ = false;
  bool told_not_ready_ = false;
  bool stopping_ = false;
  Upgrade upgrade_;
  UpgradeOutcome taken_over_;  // how this program came to be the parent

  int exit_code_ = 0;
};

}  // namespace brood
