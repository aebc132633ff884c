// SPDX-License-Identifier: MIT
#include "parent/child_kind.hpp"

#include <sys/wait.h>

#include <algorithm>

#include "brood/error.hpp"
#include "child/child_main.hpp"
#include "models/programs/executed_child.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// A connection that is too old is ended in its child, by an error in the handler or by the event loop. The
// child is ended only if that has not helped.
constexpr auto time_to_end_connection = 5s;

// Whether the kit reads and writes, or may do so in the program that takes the slot.
bool ends_connections(const ServiceConfiguration& configuration) {
  const ChildModel& model = configuration.model;
  const bool by_program = model.command && configuration.command.gets() == CommandGets::connection;
  return !by_program && (model.work == WorkKind::connections || model.work == WorkKind::any);
}

// A child that has finished no connection is proven when it has been ready for so long.
constexpr Clock::duration proof_time = 1s;
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
  CensusRules census_rules(const Throttle& throttle, Time /*now*/) const override {
    return {.proven_after = proof_time,
            .counts_after = throttle.trusts() ? Clock::duration::zero() : proof_time};
  }
  unsigned backlog_for_children(const Census& /*census*/, unsigned backlog) const override { return backlog; }
  bool reports() const override { return true; }
  bool may_end_listeners() const override { return false; }
  ChildTimeLimits time_limits(const ServiceConfiguration& configuration) const override {
    return {.connection = configuration.limits.connection_timeout,
            .connection_grace = ends_connections(configuration) ? time_to_end_connection : 0ms,
            .leave = configuration.limits.leave_timeout,
            .leave_setting = "leave-timeout"};
  }
};

class Forked final : public Reporting {
 public:
  ChildSignals signals(const ServiceConfiguration& /*configuration*/) const override { return {}; }
  MappingDescriptors copy_for_program(const ServiceCommand& /*command*/,
                                      const MappingDescriptors& /*parents*/) const override {
    return {};
  }
  int run(const ServiceCommand& /*command*/, ChildSetup setup, MappingDescriptors /*table*/) const override {
    return child_main(std::move(setup));
  }
};

class Executed final : public Reporting {
 public:
  ChildSignals signals(const ServiceConfiguration& /*configuration*/) const override {
    return {.group = true};
  }
  // A program of the kit that can't start logs why, and has one of these exit codes. Another program may also
  // wait for something until its time is over.
  std::string_view advice(const ServiceCommand& command, const ChildEnd& end, int code,
                          int status) const override {
    const bool of_kit = code == CLD_EXITED && (status == static_cast<int>(ExitCode::software) ||
                                               status == static_cast<int>(ExitCode::sick) ||
                                               status == static_cast<int>(ExitCode::configuration));
    if (command.gets() != CommandGets::slot || end.ready || of_kit || (code != CLD_EXITED && !end.asked))
      return "";
    return "its program has not taken the slot of a child: if it is not built with the kit, set command-gets "
           "= "
           "connection if it serves one connection as its standard input and output, or command-gets = "
           "listeners if it takes the listeners as systemd passes them";
  }
  MappingDescriptors copy_for_program(const ServiceCommand& command,
                                      const MappingDescriptors& parents) const override {
    return for_child(command, parents);
  }
  int run(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table) const override {
    return execute(command, std::move(setup), std::move(table));
  }
};

class WithListeners final : public ChildKind {
 public:
  explicit WithListeners(bool says_ready) : says_ready_(says_ready) {}
  std::string_view advice(const ServiceCommand& /*command*/, const ChildEnd& end, int code,
                          int /*status*/) const override {
    if (end.proven || end.asked || code != CLD_EXITED) return "";
    return "its program has ended soon after its start: if it serves one connection as its standard input "
           "and "
           "output, as under inetd, set command-gets = connection; if it puts itself into the background, "
           "tell "
           "it not to";
  }
  ChildSignals signals(const ServiceConfiguration& configuration) const override {
    return {.leave = configuration.command.stop_signal, .group = true};
  }
  MappingDescriptors copy_for_program(const ServiceCommand& /*command*/,
                                      const MappingDescriptors& /*parents*/) const override {
    return {};
  }
  int run(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table) const override {
    return execute(command, std::move(setup), std::move(table));
  }
  // A connection that waits now may have come in this moment, unless the program ended at once.
  bool has_served(const Ended& child, const Listeners& listeners) const override {
    const bool old_enough = child.age >= std::max(replacement_age, child.throttle_delay);
    const bool done = child.exited_with_0 && child.on_demand && (listeners.backlog() == 0 || old_enough);
    return child.ready && (done || child.age >= std::max(proven_age, child.throttle_delay));
  }
  CensusRules census_rules(const Throttle& throttle, Time now) const override {
    return {.proven_after = std::max(proven_age, throttle.delay()),
            .counts_after = says_ready_ ? Clock::duration::zero() : replacement_age,
            .heard_before = now - reaction_time};
  }
  // One that has the listeners takes what waits. Only the first one has to be started for it.
  unsigned backlog_for_children(const Census& census, unsigned backlog) const override {
    return census.idle + census.starting > 0 ? 0 : std::min(backlog, 1U);
  }
  bool reports() const override { return false; }
  bool may_end_listeners() const override { return true; }
  // What it is doing is not known: it has the time that open connections have.
  ChildTimeLimits time_limits(const ServiceConfiguration& configuration) const override {
    return {.connection = configuration.limits.connection_timeout,
            .connection_grace = 0ms,
            .leave = configuration.limits.graceful_timeout,
            .leave_setting = "graceful-timeout"};
  }

 private:
  const bool says_ready_;
};

}  // namespace

std::string_view ChildKind::advice(const ServiceCommand& /*command*/, const ChildEnd& /*end*/, int /*code*/,
                                   int /*status*/) const {
  return "";
}

const ChildKind& ChildKind::of(const ServiceConfiguration& configuration) {
  static const Forked forked;
  static const Executed executed;
  static const WithListeners with_listeners(false), that_says_ready(true);
  if (!configuration.model.command) return forked;
  if (configuration.command.takes_listeners())
    return configuration.command.ready == ReadyOn::notify ? that_says_ready : with_listeners;
  return executed;
}

ChildLimits limits_of_child(const ServiceConfiguration& configuration) {
  const Limits& limits = configuration.limits;
  return {.threads = limits.threads_per_child,
          .connections = configuration.model.many_connections ? limits.max_connections_per_child
                                                              : limits.threads_per_child,
          .connection_timeout = limits.connection_timeout,
          .idle_timeout = limits.connection_idle_timeout,
          .first_byte_timeout = limits.first_byte_timeout};
}

ChildSetup setup_of_child(const ServiceConfiguration& configuration) {
  return {.server = nullptr,
          .scoreboard = nullptr,
          .slot = 0,
          .listeners = {},
          .identity = configuration.identity,
          .no_new_privileges = configuration.no_new_privileges,
          .parent = no_parent,
          .limits = limits_of_child(configuration),
          .process = configuration.process,
          .access_log = configuration.access_log,
          .admission = &configuration.admission,
          .proxy = &configuration.proxy,
          .sandbox = configuration.sandbox.filter ? &configuration.sandbox : nullptr};
}

}  // namespace brood
