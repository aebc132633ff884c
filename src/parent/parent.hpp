// SPDX-License-Identifier: MIT
// The parent: owns the services, the scoreboard and the signals, and waits in one place. It never reads a
// byte from a client.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/signals.hpp"
#include "brood/descriptor.hpp"
#include "parent/control.hpp"
#include "parent/orders.hpp"
#include "parent/server_program.hpp"
#include "parent/service_list.hpp"
#include "pool/parent_lock.hpp"
#include "scoreboard/scoreboard.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {

class Parent final : private ServiceHost, private ServerOrders {
 public:
  Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>> services);
  // With what a former program has left. Nothing of it changes before take_over().
  Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>> services, const Takeover& takeover);
  ~Parent();
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  void take_over(Takeover& takeover);  // from here on this program is the parent
  int run();                           // until it has stopped; returns the exit code

 private:
  Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>>&& services, Scoreboard scoreboard,
         Descriptor wake);

  // ---- for the services
  const Scoreboard& scoreboard() const override { return scoreboard_; }
  const ParentLock& lock() const override { return lock_; }
  int wake_descriptor() const override { return wake_.get(); }
  void close_in_child(const Service& service) override;

  // ---- for orders
  Reloaded reload(const std::string& only) override;
  void check() const override;
  void reopen_logs() override;
  std::vector<Change> scale(Service& service, const ScaledSettings& changes) override;
  void stop() override;
  void stop_now() override;
  bool stopping() const override { return stopping_; }
  bool ended() const override;
  void upgrade() override;
  UpgradeOutcome last_upgrade() const override;
  const ServiceList& services() const override { return services_; }
  bool accepts_new_services() const override { return program_.rules().reserved_entries > 0; }

  // ---- orders by a signal: what is thrown is logged, because no client waits for it
  void obey(int signal);
  void try_reload(const std::string& only);
  void try_reopen();

  // ---- the steps of its loop
  void reap();
  void process_ended(pid_t pid, int code, int status, Time now);
  void child_stopped(pid_t pid, bool is_stopped);
  Time look(Time now);
  void report_readiness();
  void wait(Time until);

  HandedOver hand_over() const;
  void scale_again(const Takeover& takeover);
  bool is_child(pid_t pid) const;
  void begin_stop();

  ServerProgram& program_;
  ServiceList services_;
  Scoreboard scoreboard_;
  ParentLock lock_;
  SignalDescriptor signals_;
  Descriptor wake_;
  Orders orders_;
  Control control_;
  Upgrade upgrade_;
  UpgradeOutcome taken_over_;  // how this program became the parent
  bool ready_ = false;
  bool reported_not_ready_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace brood
