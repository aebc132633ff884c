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

#include "base/signals.hpp"
#include "brood/descriptor.hpp"
#include "parent/control.hpp"
#include "parent/service_list.hpp"
#include "pool/parent_lock.hpp"
#include "scoreboard/scoreboard.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {

struct ParentDuties {
  std::string name;
  std::string scoreboard_path;         // "": anonymous
  std::uint32_t reserved_entries = 0;  // on the scoreboard, for services that come later
  bool all_or_none = true;             // it isn't ready while one of the services fails
  // SIGHUP, in two steps: reads and checks, and returns the services that are wanted (throws, and then all
  // stays as it was); then, when the services have taken theirs, puts in force what is the program's own, but
  // for those that could not; returns what needs a restart, in lines. `only`: the service that it is about;
  // "": all.
  std::function<std::vector<WantedService>()> read_again;
  std::function<std::vector<std::string>(const std::string& only, const std::vector<std::string>& refused)>
      commit;
  // The configuration of a service, with these values in the place of those that the settings say: checked
  // like those. Throws, and changes nothing.
  std::function<ServiceConfiguration(const std::string& service, const ScaledSettings& scaled)> scaled;
  std::function<void()> in_child;      // in a fresh child: closes what is the program's alone
  std::function<void()> on_not_ready;  // before that, a child has failed: once
  // The first child of each service can take a connection. `addresses`: of all listeners, for people.
  std::function<void(const std::string& addresses)> on_ready;
  Executable program;  // of this process
  // What of the program itself is left to its successor.
  std::function<void(HandedOver&)> hand_over;
};

class Parent {
 public:
  Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services);
  // Over what a former program left: changes nothing of it before take_over().
  Parent(ParentDuties duties, std::vector<std::unique_ptr<Service>> services, const Takeover& takeover);
  ~Parent();
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  void take_over(Takeover& takeover);  // from here on it is the parent; nothing fails any more
  int run();                           // until it has stopped; the exit code

  // Replaces the running program by the one that stands in its place by now, in this process: SIGUSR2.
  // Returns at once; what came of it is told by last_upgrade(), of this program or of the new one, and in the
  // log.
  void upgrade();
  struct UpgradeOutcome {
    enum class State { none, under_way, done, refused } state = State::none;
    std::string message;  // done, refused: for people
  };
  UpgradeOutcome last_upgrade() const;

  // ---- orders: by a signal or by the control socket
  // `only`: the service that it is about; "": all. Throws, and everything is as before; nothing has
  // changed, either, where none has that name. Tells which services stay as they were while others have.
  struct Reloaded : ServiceList::Outcome {
    std::vector<std::string> waits;  // for a restart, in lines
  };
  Reloaded reload(const std::string& only);
  void check() const;  // throws what a reload would
  void reopen_logs();  // throws, and the log goes on into the old file
  struct Change {
    std::string setting, from, to;
  };
  std::vector<Change> scale(Service& service, const ScaledSettings& changes);  // throws
  void stop();
  void stop_now();

  bool stopping() const { return stopping_; }
  bool ended() const;
  const ParentDuties& duties() const { return duties_; }
  const ServiceList& services() const { return services_; }

 private:
  Parent(ParentDuties&& duties, std::vector<std::unique_ptr<Service>>&& services, Scoreboard scoreboard,
         Descriptor wake);
  HandedOver hand_over() const;
  void scale_again(const Takeover& takeover);
  void obey(int signal);
  void try_reload(const std::string& only);  // logs what is thrown, as there is nobody to be told
  void try_reopen();
  void reap();
  void bury(pid_t pid, int code, int status, Time now);
  void note_stop(pid_t pid, bool is_stopped);
  Time look(Time now);
  void wait(Time until);
  void in_child(const Service& of);
  bool is_child(pid_t pid) const;
  void tell_hooks(const std::vector<Service*>& services) const;
  std::chrono::milliseconds graceful_timeout() const;  // the longest

  ParentDuties duties_;
  ServiceList services_;
  Scoreboard scoreboard_;
  ParentLock lock_;
  SignalDescriptor signals_;
  Descriptor wake_;
  Control control_;
  bool ready_ = false;
  bool told_not_ready_ = false;
  bool stopping_ = false;
  Upgrade upgrade_;
  UpgradeOutcome taken_over_;  // how this program came to be the parent

  int exit_code_ = 0;
};

}  // namespace brood
