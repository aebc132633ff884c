// SPDX-License-Identifier: MIT
// The kit's own settings: the structures that hold their values, the tables that read them, and the checks of
// several values together.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/log/log_settings.hpp"
#include "base/lookup/identity.hpp"
#include "base/sandbox/sandbox_settings.hpp"
#include "base/service/access_log_settings.hpp"
#include "base/service/admission_settings.hpp"
#include "base/service/limits.hpp"
#include "base/service/process_settings.hpp"
#include "base/service/proxy_settings.hpp"
#include "base/service/service_command.hpp"
#include "base/service/status_settings.hpp"
#include "brood/child_model.hpp"
#include "brood/settings.hpp"
#include "settings/settings_reader.hpp"

namespace brood {

using ScaledSettings = std::map<std::string, std::string>;  // by `broodctl scale`: name and value, as written

// All that a service goes by. It is made by one reading (service_source.hpp), and does not change after it:
// the next reading makes another one.
struct ServiceConfiguration {
  // With the defaults for this child model.
  ServiceConfiguration(std::string name, const ChildModel& model, bool thread_safe);

  std::string name;
  ChildModel model;
  bool thread_safe;
  std::vector<std::string> listen = {"127.0.0.1:8000"};
  std::vector<ListenSpec> listen_specs;  // parsed `listen`
  unsigned listen_backlog = 4096;
  SocketOptions socket;
  std::vector<std::string> listen_doubles;  // of `listen`: they are ignored
  Limits limits;
  std::string on_failure;
  std::vector<std::string> on_failure_words;  // parsed `on_failure`
  std::string threads_per_child = "1";        // as written
  ServiceCommand command;                     // if model.command
  std::string user, group;                    // "": those of the parent
  bool no_new_privileges = true, allow_root = false;
  Identity identity;  // parsed `user` and `group`
  LogSettings log;
  AccessLogSettings access_log;
  ProcessSettings process;
  SandboxSettings sandbox;
  bool log_output = true;
  AdmissionSettings admission;
  ProxySettings proxy;
  StatusSettings status;

  GivenSettings given;    // what was read to get these values
  ScaledSettings scaled;  // these win over them
};

// What the parent goes by.
struct Configuration {
  std::string name;               // of the server
  std::string runtime_directory;  // "": default_runtime_directory(); "none": the scoreboard is anonymous
  std::string status_group;       // "": none
  std::string pid_file;
  std::string status_listen;  // "": no status listener
  LogSettings log;
  bool daemonize = false;
  int notify_fd = -1;
  std::chrono::milliseconds drain_delay{0};
  bool strict = false;   // of a parent that has the setting
  std::string log_user;  // the user that all services have; "": they differ, or have that of the parent

  GivenSettings given;  // what was read, with the values that services share
};

// Each binds settings of the kit to the fields, whose values are the defaults. What is added after them
// belongs to the kit, too, until of_kit(false).
void add_service_settings(Settings& settings, ServiceConfiguration& service);
void add_log_settings(Settings& settings, LogSettings& log);
void add_parent_settings(Settings& settings, Configuration& configuration);

// After the values were stored, these report contradictions to the reader. check_service() also fills the
// parsed fields, and makes the values those that the service works with (in_effect()).
void check_service(ServiceConfiguration& service, SettingsReader& reader);
void check_limits(const Limits& limits, SettingsReader& reader);  // a part of it
void check_parent(const Configuration& configuration, SettingsReader& reader);
// The parsed `status_listen`: a TCP address with numbers alone, or a unix socket. Throws ConfigurationError.
ListenSpec status_address(const std::string& written);
void check_log(const LogSettings& log, SettingsReader& reader);

// A listener of `one` that `other` has, too, or one that overlaps with it; nullptr: none.
const ListenSpec* place_in_both(const ServiceConfiguration& one, const ServiceConfiguration& other);
bool is_service_name(std::string_view name);  // 1 to 63 letters, digits, '-' and '_'
bool is_server_name(std::string_view name);   // 1 to 63 bytes without '/'

}  // namespace brood
