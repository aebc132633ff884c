// SPDX-License-Identifier: MIT
// The program as its parent uses it while it runs: it connects the parent with settings, log, pid file and
// background start. Parent only.
#pragma once

#include <string>

#include "parent/server_program.hpp"
#include "program/daemon.hpp"
#include "program/files/name_claim.hpp"
#include "program/files/pid_file.hpp"
#include "program/service_manager.hpp"
#include "program/status/status_listener.hpp"

namespace brood {

class RunningProgram final : public ServerProgram {
 public:
  // `started`: what is in force. Paths and rules stay as they are now while the program runs. The references
  // outlive it.
  RunningProgram(const ServiceSource& source, std::shared_ptr<const Configuration> started,
                 ScoreboardPlace scoreboards, const Executable& executable, Daemon& daemon, PidFile& pid_file,
                 NameClaim& name_claim, ServiceManager& manager, StatusListener& status)
      : source_(source),
        in_force_(std::move(started)),
        rules_(source.rules(*in_force_)),
        scoreboards_(std::move(scoreboards)),
        executable_(executable),
        daemon_(daemon),
        pid_file_(pid_file),
        name_claim_(name_claim),
        manager_(manager),
        status_(status) {}

  const std::string& name() const override { return in_force_->name; }
  const ScoreboardPlace& scoreboards() const override { return scoreboards_; }
  ServiceRules rules() const override { return rules_; }
  const Executable& executable() const override { return executable_; }

  WantedSettings read_settings(InForce in_force) const override;
  std::chrono::milliseconds drain_delay() const override { return in_force_->drain_delay; }
  void apply_settings(std::shared_ptr<const Configuration> parent) override;
  WantedService scale(const ServiceConfiguration& in_force, const ScaledSettings& scaled) const override {
    return source_.scale(in_force, scaled);
  }

  void look_at_files() override {
    pid_file_.look_at_path();
    name_claim_.look_at_path();
  }
  void let_successor_start() override { name_claim_.give_up(); }
  void remove_scoreboard_directory() override {
    if (name_claim_.take_again()) scoreboards_.remove_directory();
  }
  void close_in_child() override;
  void report_not_ready() override;
  void report_ready(std::string_view addresses) override;
  Time tell_state(const ServerState& state, const std::function<ServerLoad()>& load, Time now) override {
    return manager_.tell(state, load, now);
  }
  Time look_at_reporter(const ReporterHost& host, Time now) override {
    return status_.look(host, scoreboards_.path, now);
  }
  bool process_ended(pid_t pid, int code, int status, Time now) override {
    return status_.reaped(pid, code, status, now);
  }
  void hand_over(HandedOver& to) const override;

 private:
  const ServiceSource& source_;
  std::shared_ptr<const Configuration> in_force_;
  const ServiceRules rules_;
  const ScoreboardPlace scoreboards_;
  const Executable& executable_;
  Daemon& daemon_;
  PidFile& pid_file_;
  NameClaim& name_claim_;
  ServiceManager& manager_;
  StatusListener& status_;
};

}  // namespace brood
