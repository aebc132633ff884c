// SPDX-License-Identifier: MIT
// The program as its parent uses it while it runs: it connects the parent with settings, log, pid file and
// background start. Parent only.
#pragma once

#include <string>

#include "parent/server_program.hpp"
#include "program/daemon.hpp"
#include "program/pid_file.hpp"

namespace brood {

class RunningProgram final : public ServerProgram {
 public:
  // Name, paths and rules stay as they are now while the program runs. The references outlive it.
  RunningProgram(ServiceSource& source, const Configuration& started, std::string scoreboard_path,
                 const Executable& executable, Daemon& daemon, PidFile& pid_file)
      : source_(source),
        started_(started),
        rules_(source.rules()),
        scoreboard_path_(std::move(scoreboard_path)),
        executable_(executable),
        daemon_(daemon),
        pid_file_(pid_file) {}

  const std::string& name() const override { return started_.name; }
  const std::string& scoreboard_path() const override { return scoreboard_path_; }
  ServiceRules rules() const override { return rules_; }
  const Executable& executable() const override { return executable_; }

  std::vector<WantedService> read_settings() override;
  std::vector<std::string> apply_settings(const std::string& only,
                                          const std::vector<std::string>& refused) override;
  ServiceConfiguration scaled(const std::string& service, const ScaledSettings& changes) override;

  void close_in_child() override;
  void report_not_ready() override;
  void report_ready(std::string_view addresses) override;
  void hand_over(HandedOver& to) const override;

 private:
  ServiceSource& source_;
  const Configuration& started_;
  const ServiceRules rules_;
  const std::string scoreboard_path_;
  const Executable& executable_;
  Daemon& daemon_;
  PidFile& pid_file_;
};

}  // namespace brood
