// SPDX-License-Identifier: MIT
// The kit's own settings: the structures that hold their values, the tables that read them, and the checks of
// several values together.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/limits.hpp"
#include "base/service_command.hpp"
#include "brood/child_model.hpp"
#include "brood/settings.hpp"
#include "settings/settings_reader.hpp"

namespace brood {

struct ServiceConfiguration {
  // With the defaults for this child model.
  ServiceConfiguration(std::string name, const ChildModel& model, bool thread_safe);

  std::string name;
  ChildModel model;
  bool thread_safe;
  std::vector<std::string> listen = {"127.0.0.1:8000"};
  std::vector<ListenSpec> listen_specs;  // parsed `listen`
  unsigned listen_backlog = 4096;
  Limits limits;
  std::string on_failure;
  std::vector<std::string> on_failure_words;  // parsed `on_failure`
  std::string threads_per_child = "1";        // as written
  ServiceCommand command;                     // if model.command
  std::string user, group;                    // "": those of the parent
  std::string log_level = "info";
};

struct Configuration {
  std::string name;  // of the server
  std::vector<ServiceConfiguration> services;
  std::string runtime_directory;  // "": default_runtime_directory(); "none": the scoreboard is anonymous
  std::string pid_file;
  std::string log = "stderr";
  std::string log_level = "info";  // of the parent
  bool daemonize = false;
};

// Each binds settings to the fields, whose values are the defaults.
void add_service_settings(Settings& settings, ServiceConfiguration& service);
void add_log_level(Settings& settings, std::string& level);
void add_parent_settings(Settings& settings, Configuration& configuration);

// After the values were stored, these fill the parsed fields and report contradictions to the reader:
// check_together() for a whole program, check_service() for a service with a table of its own, check_parent()
// for the parent alone.
void check_together(Configuration& configuration, SettingsReader& reader);
void check_service(ServiceConfiguration& service, SettingsReader& reader);
void check_parent(const Configuration& configuration, SettingsReader& reader);

// A listener of `one` that `other` has, too; nullptr: none.
const ListenSpec* place_in_both(const ServiceConfiguration& one, const ServiceConfiguration& other);
bool is_service_name(std::string_view name);  // 1 to 63 letters, digits, '-' and '_'

}  // namespace brood
