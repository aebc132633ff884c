// SPDX-License-Identifier: MIT
// The kit's own settings: what a parent and its services are told, with the table that reads it and the
// checks that hold several of them together.
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
  // The defaults for a server of this model, which can run threads or can't.
  ServiceConfiguration(std::string name, const ChildModel& model, bool thread_safe);

  std::string name;
  ChildModel model;
  bool thread_safe;
  std::vector<std::string> listen = {"127.0.0.1:8000"};
  std::vector<ListenSpec> listen_specs;  // of `listen`
  unsigned listen_backlog = 4096;
  Limits limits;
  std::string on_failure;
  std::vector<std::string> on_failure_words;  // of it
  std::string threads_per_child = "1";        // as written
  ServiceCommand command;                     // where the model has one
  std::string user, group;                    // "": children stay who the parent is
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

// Bind fields, which hold the defaults.
void add_service_settings(Settings& settings, ServiceConfiguration& service);
void add_log_level(Settings& settings, std::string& level);
void add_parent_settings(Settings& settings, Configuration& configuration);

// After the values were stored: fills what is derived from them, and blames contradictions on the settings
// concerned. The whole of a program's; or a service alone, whose settings stand in a table of its own; or
// the parent's alone.
void check_together(Configuration& configuration, SettingsReader& reader);
void check_service(ServiceConfiguration& service, SettingsReader& reader);
void check_parent(const Configuration& configuration, SettingsReader& reader);

// A place of `one` that `other` has, too; nullptr: there is none.
const ListenSpec* place_in_both(const ServiceConfiguration& one, const ServiceConfiguration& other);
bool is_service_name(std::string_view name);  // 1 to 63 letters, digits, '-' and '_'

}  // namespace brood
