// SPDX-License-Identifier: MIT
// The parent: owns the services and the signals, and waits in one place. It never reads a
// byte from a client.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/signals.hpp"
#include "brood/descriptor.hpp"
#include "parent/control.hpp"
#include "parent/orders.hpp"
#include "parent/server_program.hpp"
#include "parent/service_list.hpp"
#include "pool/pause.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/readings.hpp"
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
  Parent(ServerProgram& program, std::vector<std::unique_ptr<Service>>&& services, const Takeover* takeover);

  // ---- for the services
  const ServerFacts& facts() const override { return facts_; }
  const ScoreboardPlace& scoreboards() const override { return program_.scoreboards(); }
  WantedService read_to_start(const Service& service) const override;
  void look_up_to_start(const Service& service) override;
  void close_in_child(const Service& service) override;

  // ---- for orders
  void when_looked_up(const std::string& restarted,
                      std::function<void(const std::string& failure)> then) override;
  Reloaded reload(const std::string& only) override;
  void check() const override;
  void reopen_logs() override;
  std::vector<Change> scale(Service& service, const ScaledSettings& changes) override;
  void stop() override;
  void stop_now() override;
  bool stopping() const override { return stopping_ || drain_until_ != never; }
  bool ended() const override;
  void upgrade() override;
  UpgradeOutcome last_upgrade() const override;
  const ServiceList& services() const override { return services_; }
  bool accepts_new_services() const override { return program_.rules().come_and_go; }

  // ---- orders by a signal: what is thrown is logged, because no client waits for it
  void obey(int signal);
  static std::string reload_name(const std::string& only) { return "reload " + only; }  // of the reading
  void reload_when_looked_up(const std::string& only);
  void try_reload(const std::string& only, const std::string& failure);
  void try_reopen();

  // ---- the steps of its loop
  void reap();
  void process_ended(pid_t pid, int code, int status, const ProcessUsage& usage, Time now);
  void child_stopped(pid_t pid, bool is_stopped);
  Time look(Time now);
  void notice_pause(bool continued, Time now);
  void report_readiness();
  void warn_of_memory() const;
  ServerLoad load() const;
  void wait(Time until);

  HandedOver hand_over() const;
  void look_up_all(const std::string& restarted);
  void close_all_in_process();
  std::vector<Descriptor> become_reader();
  void forget_what_is_ours();
  void publish_facts() const;
  void look_at_files();
  void stop_services();
  void begin_stop();

  ServerProgram& program_;
  ServiceList services_;
  ServerFacts facts_;
  std::optional<Scoreboard> server_file_;  // if the scoreboards are in a directory
  SignalDescriptor signals_;
  Orders orders_;
  Control control_;
  Upgrade upgrade_;
  Readings readings_;
  UpgradeOutcome taken_over_;  // how this program became the parent
  PauseDetector pauses_;
  bool ready_ = false;
  bool reported_not_ready_ = false;
  bool stopping_ = false;
  Time drain_until_ = never;   // until then it serves on, although it was told to stop
  std::uint64_t reloads_ = 0;  // by SIGHUP
  std::uint64_t reporter_epoch_ = 0;
  int exit_code_ = 0;
};

}  // namespace brood
