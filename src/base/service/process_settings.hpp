// SPDX-License-Identifier: MIT
// The settings of a service for the processes of its children: directory, limits of the kernel, environment.
// A fresh child puts them in force, before it takes its user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brood {

// A limit of setrlimit(2); empty: that of the parent.
using ResourceLimit = std::optional<std::uint64_t>;
inline constexpr std::uint64_t no_resource_limit = UINT64_MAX;

struct ProcessSettings {
  std::vector<std::string> environment;       // "NAME=VALUE"
  std::vector<std::string> pass_environment;  // the variables of the parent that are kept; none: all are
  std::string root_directory;                 // "": that of the parent
  std::string working_directory;              // "": that of the parent, or "/" in another root directory
  std::string umask;                          // octal; "": that of the parent
  std::string cpus;                           // "0-3,7"; "": those of the parent
  int nice = 0;                               // is added to that of the parent
  ResourceLimit open_files, memory, cpu_time, core;  // number, bytes, seconds, bytes
  bool titles = false;                               // whether ps(1) shows what a child does

  bool operator==(const ProcessSettings&) const = default;
};

// Throws ConfigurationError: what is wrong with one of them, as "is not …".
void check_variable(const std::string& written);
void check_variable_name(const std::string& written);
void check_umask(const std::string& written);
std::vector<unsigned> parse_cpus(
    const std::string& written);  // in ascending order; empty: those of the parent

// Removes the variables that are not passed on. Comes before all that sets variables.
void leave_environment(const ProcessSettings& settings);
// Throws SystemError.
void put_in_force(const ProcessSettings& settings);
// After the change of user, which forbids a core dump.
void allow_core_dump(const ProcessSettings& settings);

}  // namespace brood
