// SPDX-License-Identifier: MIT
// The kit's own settings: what a parent and its services are told, with the table that reads it and the
// checks that hold several of them together.
#pragma once

#include <string>
#include <vector>

#include "address.hpp"
#include "brood/child_model.hpp"
#include "brood/settings.hpp"
#include "limits.hpp"
#include "settings_source.hpp"

namespace brood {

struct ServiceConfiguration {
  std::string name;
  std::vector<std::string> listen = {"127.0.0.1:8000"};
  std::vector<ListenSpec> listen_specs;  // of `listen`
  unsigned listen_backlog = 4096;
  Limits limits;
  std::string threads_per_child = "1";  // as written
  std::string user, group;              // "": children stay who the parent is
};

struct Configuration {
  // The defaults for a server of this model, which can run threads or can't.
  Configuration(const std::string& program, const ChildModel& model, bool thread_safe);

  ChildModel model;
  bool thread_safe;
  ServiceConfiguration service;
  std::string runtime_directory;  // "": default_runtime_directory(); "none": the scoreboard is anonymous
  std::string pid_file;
  std::string log = "stderr";
  std::string log_level = "info";
  bool daemonize = false;
};

// Binds `configuration`'s fields, which hold the defaults.
void add_settings(Settings& settings, Configuration& configuration);

// After the values were stored: fills what is derived from them, and blames contradictions on the settings
// concerned.
void check_together(Configuration& configuration, SettingsReader& reader);

}  // namespace brood
