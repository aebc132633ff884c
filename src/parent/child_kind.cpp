// SPDX-License-Identifier: MIT
#include "parent/child_kind.hpp"

#include <algorithm>

#include "child/child_main.hpp"
#include "models/programs/executed_child.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// A child with many connections ends a connection that is too old itself. It is ended only if it can't.
constexpr auto extra_time_of_loops = 5s;
// A program that reports nothing is proven when it is so old.
constexpr Clock::duration proven_age = 10s;
// Its predecessor is told to leave when it is so old. A younger program that was started on demand and ends
// must leave no connection waiting.
constexpr Clock::duration replacement_age = 1s;
// Until such a program has handled SIGTERM.
constexpr auto reaction_time = 250ms;

class Reporting : public ChildKind {
 protected:
  ~Reporting() = default;

 public:
  bool has_served(const Ended& /*child*/, const Listeners& /*listeners*/) const override { return false; }
  CensusRules census_rules(Clock::duration throttle_delay, Time /*now*/) const override {
    return {.proven_age = throttle_delay};
  }
  unsigned backlog_for_children(const Census& /*census*/, unsigned backlog) const override { return backlog; }
  bool may_end_listeners() const override { return false; }
  ChildTimeLimits time_limits(const Limits& limits, bool many_connections) const override {
    const auto timeout = limits.connection_timeout;
    return {.connection = many_connections && timeout > 0ms ? timeout + extra_time_of_loops : timeout,
            .leave = limits.leave_timeout,
            .leave_setting = "leave-timeout"};
  }
};

class Forked final : public Reporting {
 public:
  MappingDescriptors copy_for_program(const ServiceCommand& /*command*/,
                                      const MappingDescriptors& /*parents*/) const override {
    return {};
  }
  int run(const ServiceCommand& /*command*/, const ChildSetup& setup,
          MappingDescriptors /*table*/) const override {
    return child_main(setup);
  }
};

class Executed final : public Reporting {
 public:
  MappingDescriptors copy_for_program(const ServiceCommand& command,
                                      const MappingDescriptors& parents) const override {
    return for_child(command, parents);
  }
  int run(const ServiceCommand& command, const ChildSetup& setup, MappingDescriptors table) const override {
    return execute(command, setup, std::move(table));
  }
};

class WithListeners final : public ChildKind {
 public:
  MappingDescriptors copy_for_program(const ServiceCommand& /*command*/,
                                      const MappingDescriptors& /*parents*/) const override {
    return {};
  }
  int run(const ServiceCommand& command, const ChildSetup& setup, MappingDescriptors table) const override {
    return execute(command, setup, std::move(table));
  }
  // A connection that waits now may have come in this moment, unless the program ended at once.
  bool has_served(const Ended& child, const Listeners& listeners) const override {
    const bool old_enough = child.age >= std::max(replacement_age, child.throttle_delay);
    const bool done = child.exited_with_0 && child.on_demand && (listeners.backlog() == 0 || old_enough);
    return done || child.age >= std::max(proven_age, child.throttle_delay);
  }
  CensusRules census_rules(Clock::duration throttle_delay, Time now) const override {
    return {.replacement_age = replacement_age,
            .proven_age = std::max(proven_age, throttle_delay),
            .age_is_proof = true,
            .heard_before = now - reaction_time};
  }
  // One that has the listeners takes what waits. Only the first one has to be started for it.
  unsigned backlog_for_children(const Census& census, unsigned backlog) const override {
    return census.idle + census.starting > 0 ? 0 : std::min(backlog, 1U);
  }
  bool may_end_listeners() const override { return true; }
  // What it is doing is not known: it has the time that open connections have.
  ChildTimeLimits time_limits(const Limits& limits, bool /*many_connections*/) const override {
    return {.connection = limits.connection_timeout,
            .leave = limits.graceful_timeout,
            .leave_setting = "graceful-timeout"};
  }
};

}  // namespace

const ChildKind& ChildKind::of(const ServiceConfiguration& configuration) {
  static const Forked forked;
  static const Executed executed;
  static const WithListeners with_listeners;
  if (!configuration.model.command) return forked;
  if (configuration.command.gets() == CommandGets::listeners) return with_listeners;
  return executed;
}

ChildLimits limits_of_child(const ServiceConfiguration& configuration) {
  const Limits& limits = configuration.limits;
  return {.threads = limits.threads_per_child,
          .connections = configuration.model.many_connections ? limits.max_connections_per_child
                                                              : limits.threads_per_child,
          .connection_timeout = limits.connection_timeout,
          .idle_timeout = limits.connection_idle_timeout};
}

}  // namespace brood
