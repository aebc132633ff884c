// SPDX-License-Identifier: MIT
// The kinds of children that a service can have: copies of this program, and executed programs. A program
// that has the listeners themselves (command-gets = listeners) reports nothing on the scoreboard: whether it
// serves is guessed from how long it lives. Everything that differs for such a program is here. Parent only.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "child/child_process.hpp"
#include "listen/listeners.hpp"
#include "pool/pool.hpp"
#include "pool/throttle.hpp"
#include "settings/configuration.hpp"

namespace brood {

class ChildKind {
 public:
  static const ChildKind& of(const ServiceConfiguration& configuration);

  // ---- in a fresh child
  // Copies of the scoreboard's descriptors for an executed program, before the parent's are closed.
  virtual MappingDescriptors copy_for_program(const ServiceCommand& command,
                                              const MappingDescriptors& parents) const = 0;
  // Returns the exit code, or never if the child becomes a program.
  virtual int run(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table) const = 0;

  // ---- in the parent
  struct Ended {
    Clock::duration age;
    bool exited_with_0;
    bool ready;                      // it, or its program, had said that it serves
    bool on_demand;                  // it was started because a connection waited
    Clock::duration throttle_delay;  // 0: the service is not throttled
  };
  // Whether a child that has ended did its work, although the scoreboard may not say so.
  virtual bool has_served(const Ended& child, const Listeners& listeners) const = 0;
  // By which ages and times its children are judged: the other rules are the same for all kinds.
  virtual CensusRules census_rules(const Throttle& throttle, Time now) const = 0;
  // How many of the connections that wait need children of their own.
  virtual unsigned backlog_for_children(const Census& census, unsigned backlog) const = 0;
  // Whether a child says when it is ready, and what it is doing.
  virtual bool reports() const = 0;
  // Whether a child may have shut a shared listener down without saying so.
  virtual bool may_end_listeners() const = 0;
  // What may be wrong if a child has ended before it has served; "": nothing that is known. `code`, `status`:
  // of waitid().
  virtual std::string_view advice(const ServiceCommand& command, const ChildEnd& end, int code,
                                  int status) const;
  virtual ChildSignals signals(const ServiceConfiguration& configuration) const = 0;
  virtual ChildTimeLimits time_limits(const ServiceConfiguration& configuration) const = 0;

 protected:
  ~ChildKind() = default;
};

ChildLimits limits_of_child(const ServiceConfiguration& configuration);
// What the settings say; the caller adds whose child it is, and where.
ChildSetup setup_of_child(const ServiceConfiguration& configuration);

}  // namespace brood
