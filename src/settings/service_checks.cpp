// SPDX-License-Identifier: MIT
// The checks of a service's settings that concern more than one value, or the machine.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/lookup/cgroup.hpp"
#include "base/lookup/identity.hpp"
#include "base/lookup/passed_descriptors.hpp"
#include "base/overlap.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/configuration.hpp"
#include "settings/service_admission.hpp"
#include "settings/service_command_settings.hpp"

namespace brood {
namespace {

// Reports "SETTING = WRITTEN " and the message, if `check` throws.
void blame_if_throws(SettingsReader& reader, const std::string& setting, const std::string& written,
                     const auto& check, std::size_t value = -1) {
  try {
    check();
  } catch (const Error& error) {
    reader.blame(setting, text(setting, " = ", written, ' ', error.what()), value);
  }
}

// Empty: it is neither a number in range nor one of the words.
std::optional<unsigned> parse_threads(const std::string& written) {
  if (written == "cpu") return usable_cpus() + 1;
  if (written == "io") return 2 * usable_cpus() + 1;
  const auto number = parse_number<unsigned>(written);
  return number && *number >= 1 && *number <= most_threads ? number : std::nullopt;
}

void check_threads(ServiceConfiguration& service, SettingsReader& reader) {
  if (!service.model.threads) return;
  const std::string& written = service.threads_per_child;
  const auto threads = parse_threads(written);
  if (!threads)
    reader.blame("threads-per-child", text("threads-per-child = ", written, " is not a number from 1 to ",
                                           most_threads, ", 'cpu' or 'io'"));
  else if (*threads > 1 && !service.thread_safe)
    reader.blame("threads-per-child",
                 text("threads-per-child = ", written,
                      ": the handlers of this server are not declared thread-safe; set it to "
                      "1, and use more children"));
  service.limits.threads_per_child = threads.value_or(1);
}

void check_programs(ServiceConfiguration& service, SettingsReader& reader) {
  const ServiceCommand& command = service.command;
  if (service.model.command && reader.find("command") == nullptr)
    reader.blame("command", "command is not set: there is nothing to run");
  else if (service.model.command && reader.find("command")->values.front().empty())
    reader.blame("command", "command =  names no program");
  else if (service.model.command && !command.words.empty() && !reader.restores())
    blame_if_throws(reader, "command", command.written, [&] { check_executable(command.program()); });
  service.on_failure_words.clear();
  if (service.on_failure.empty()) return;
  blame_if_throws(reader, "on-failure", service.on_failure, [&] {
    service.on_failure_words = parse_command(service.on_failure);
    if (!reader.restores()) check_executable(service.on_failure_words.front());
  });
}

// Whether the parent, which opens it in each child, will be able to. Opens nothing: a FIFO may have no reader
// yet.
void check_access_log(const AccessLogSettings& access_log, SettingsReader& reader) {
  if (access_log.path.empty() || reader.restores()) return;
  const std::string directory = std::filesystem::path(access_log.path).parent_path();
  const bool there = ::access(access_log.path.c_str(), F_OK) == 0;
  const std::string& written_to = there ? access_log.path : directory;
  if (::access(written_to.c_str(), there ? W_OK : W_OK | X_OK) != 0)
    reader.blame(
        "access-log",
        SystemError(text("access-log = ", access_log.path, ": can't write to ", written_to), errno).what());
  else if (std::filesystem::is_directory(access_log.path))
    reader.blame("access-log", text("access-log = ", access_log.path, " is a directory"));
}

// A program that gets one listener would leave clients of the others without an answer. A name that can't be
// looked up is a mistake when it is opened.
void check_is_one_listener(const ListenSpec& spec, const SettingsReader& reader) {
  if (spec.kind != ListenSpec::Kind::tcp && spec.kind != ListenSpec::Kind::udp) return;
  if (spec.host.empty())
    throw ConfigurationError(
        "is two listeners, one for each family of addresses, and with command-gets = listener a service has "
        "one: write 0.0.0.0 or [::] in place of *");
  if (reader.restores()) return;
  std::string addresses;
  std::size_t number = 0;
  try {
    for (const SocketAddress& address : resolve(spec)) {
      addresses += (number == 0 ? "" : ", ") + to_text(address.storage);
      ++number;
    }
  } catch (const Error&) {
    return;
  }
  if (number > 1)
    throw ConfigurationError(text("is ", number, " listeners (", addresses,
                                  "), and with command-gets = listener a service has one: write one of "
                                  "these addresses in place of ",
                                  spec.host));
}

void check_listen(ServiceConfiguration& service, WorkKind work, SettingsReader& reader) {
  if (service.listen.empty())
    reader.blame("listen", "listen is not set: each service needs an address of its own");
  service.listen_specs.clear();
  service.listen_doubles.clear();
  const bool has_one = service.model.command && service.command.gets() == CommandGets::listener;
  if (has_one && service.listen.size() > 1)
    reader.blame("listen", "listen: with command-gets = listener a service has one address", 1);
  for (std::size_t i = 0; i < service.listen.size(); ++i) {
    const auto check = [&] {
      for (ListenSpec spec : numbered(parse_listen(service.listen[i]), PassedDescriptors::of_server())) {
        spec.socket = service.socket;
        const auto is_double = [&](const ListenSpec& other) {
          return spec.port != "0" && other.written == spec.written && same_place(other, spec);
        };
        if (std::ranges::any_of(service.listen_specs, is_double)) {
          service.listen_doubles.push_back(spec.written);
          continue;
        }
        for (const auto& other : service.listen_specs)
          if (spec.port != "0" && same_place(other, spec))
            throw ConfigurationError("is the same address as '" + other.written + "'");
          else if (overlap(other, spec))
            throw ConfigurationError("overlaps with '" + other.written +
                                     "': one of the two is every address of that port, and is enough");
        if (const auto brings = spec.brings(); brings && !fits(work, *brings))
          throw ConfigurationError(work_mismatch(*brings, work));
        if (has_one) check_is_one_listener(spec, reader);
        if (spec.proxy && service.model.command && service.command.takes_listeners())
          throw ConfigurationError(
              "has proxy, which a program that takes the listeners would have to read itself: see "
              "command-gets");
        if (!reader.restores()) find_identity(spec.owner, spec.group);  // throws if they don't exist
        service.listen_specs.push_back(spec);
      }
    };
    blame_if_throws(reader, "listen", service.listen[i], check, i);
  }
}

void check_proxy(const ProxySettings& proxy, SettingsReader& reader) {
  for (std::size_t i = 0; i < proxy.from.size(); ++i)
    blame_if_throws(
        reader, "proxy-from", proxy.from[i], [&] { ProxySenders({proxy.from[i]}); }, i);
}

void check_process(const ProcessSettings& process, SettingsReader& reader) {
  for (std::size_t i = 0; i < process.environment.size(); ++i)
    blame_if_throws(
        reader, "environment", process.environment[i], [&] { check_variable(process.environment[i]); }, i);
  for (std::size_t i = 0; i < process.pass_environment.size(); ++i)
    blame_if_throws(
        reader, "pass-environment", process.pass_environment[i],
        [&] { check_variable_name(process.pass_environment[i]); }, i);
  blame_if_throws(reader, "umask", process.umask, [&] { check_umask(process.umask); });
  blame_if_throws(reader, "cpus", process.cpus, [&] { parse_cpus(process.cpus); });
  if (reader.restores()) return;
  const std::string& root = process.root_directory;
  const auto check_directory = [&](const char* setting, const std::string& path, const std::string& whole) {
    if (!path.empty() && !std::filesystem::is_directory(whole))
      reader.blame(setting, text(setting, " = ", path, " is not a directory"));
  };
  check_directory("chroot", root, root);
  check_directory("working-directory", process.working_directory, root + process.working_directory);
  if (!root.empty() && ::geteuid() != 0)
    reader.blame("chroot", text("chroot = ", root, " needs a parent that runs as root"));
}

ProgramCalls calls_of_program(const ServiceConfiguration& service) {
  if (!service.model.command) return ProgramCalls::none;
  return service.command.gets() == CommandGets::connection ? ProgramCalls::starts_it
                                                           : ProgramCalls::executes_it;
}

// `root`: the root directory of children.
std::vector<std::string> paths_of(const char* setting, const std::vector<std::string>& written,
                                  const std::string& root, SettingsReader& reader) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < written.size(); ++i)
    blame_if_throws(
        reader, setting, written[i],
        [&] {
          for (auto& path : split_words(written[i])) {
            if (!path.starts_with('/'))
              throw ConfigurationError(text("names ", path, ", which is no absolute path"));
            if (!reader.restores() && !std::filesystem::exists(root + path))
              throw ConfigurationError(text("names ", path, ", which does not exist"));
            paths.push_back(std::move(path));
          }
        },
        i);
  return paths;
}

// A child opens it again, by its name, when the logs are reopened.
void check_path_of_access_log(const ServiceConfiguration& service, SettingsReader& reader) {
  const SandboxSettings& sandbox = service.sandbox;
  const std::string& log = service.access_log.path;
  if (log.empty() || !sandbox.restricts_paths()) return;
  const auto has_log = [&](std::string place) {
    if (!place.ends_with('/')) place += '/';
    return log.starts_with(place);
  };
  if (std::ranges::any_of(sandbox.write_paths, has_log)) return;
  reader.blame("access-log", text("access-log = ", log,
                                  " is in no directory of sandbox-write: children could "
                                  "not open it again"));
}

void check_sandbox(ServiceConfiguration& service, SettingsReader& reader) {
  SandboxSettings& sandbox = service.sandbox;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < sandbox.allow.size(); ++i)
    blame_if_throws(
        reader, "sandbox-allow", sandbox.allow[i],
        [&] {
          for (auto& word : split_words(sandbox.allow[i])) {
            check_call_word(word);
            words.push_back(std::move(word));
          }
        },
        i);
  const std::string& root = service.process.root_directory;
  sandbox.read_paths = paths_of("sandbox-read", sandbox.read, root, reader);
  sandbox.write_paths = paths_of("sandbox-write", sandbox.write, root, reader);
  check_path_of_access_log(service, reader);
  sandbox.filter = nullptr;
  if (sandbox.mode == SandboxMode::off) return;
  const std::string mode = sandbox.mode == SandboxMode::on ? "on" : "log";
  if (!service.no_new_privileges)
    reader.blame("sandbox", text("sandbox = ", mode,
                                 ": children have no new privileges then; no-new-privileges = no "
                                 "contradicts that"));
  blame_if_throws(reader, "sandbox", mode,
                  [&] { sandbox.filter = make_call_filter(std::move(words), calls_of_program(service)); });
}

void check_identity(ServiceConfiguration& service, SettingsReader& reader) {
  try {
    service.identity = find_identity(service.user, service.group);
    if (service.identity.user != no_user && service.identity.group == no_group)
      reader.blame("user",
                   text("user = ", service.user, " has no account, and so no group: set group as well"));
  } catch (const Error& error) {
    reader.blame(service.user.empty() ? "group" : "user", error.what());
  }
  for (const auto& [name, value] : {std::pair{"user", service.user}, std::pair{"group", service.group}})
    if (!value.empty() && ::geteuid() != 0)
      reader.blame(name, text(name, " = ", value, " needs a parent that runs as root"));
}

void check_status(const StatusSettings& status, SettingsReader& reader) {
  if (status.failed_critical != 0 && status.failed_critical < status.failed_warning)
    reader.blame("failed-critical", text("failed-critical = ", status.failed_critical,
                                         " is below failed-warning = ", status.failed_warning));
  if (status.wait_critical.count() != 0 && status.wait_critical < status.wait_warning)
    reader.blame("wait-critical", text("wait-critical = ", status.wait_critical,
                                       " is below wait-warning = ", status.wait_warning));
  const auto interval = status.figures_interval;
  if (interval.count() != 0 && interval < std::chrono::seconds(1))
    reader.blame("figures-interval",
                 text("figures-interval = ", interval, " is below 1s; 0: no line of figures"));
}

}  // namespace

const ListenSpec* place_in_both(const ServiceConfiguration& one, const ServiceConfiguration& other) {
  for (const auto& spec : one.listen_specs)
    for (const auto& taken : other.listen_specs)
      if ((spec.port != "0" && spec.kind != ListenSpec::Kind::timer && same_place(spec, taken)) ||
          overlap(spec, taken))
        return &spec;
  return nullptr;
}

bool is_service_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !name.empty() && name.size() <= 63 && name.find_first_not_of(allowed) == std::string_view::npos;
}

void check_limits(const Limits& limits, SettingsReader& reader) {
  const auto exceeds = [&](const char* small, unsigned a, const char* large, unsigned b) {
    if (a <= b) return;
    reader.blame(reader.find(small) != nullptr ? small : large,
                 text(small, " = ", a, " exceeds ", large, " = ", b));
  };
  exceeds("min-spare-servers", limits.min_spare_servers, "max-spare-servers", limits.max_spare_servers);
  exceeds("start-servers", limits.start_servers, "max-clients", limits.max_clients);
  exceeds("min-spare-servers", limits.min_spare_servers, "max-clients", limits.max_clients);
}

void check_service(ServiceConfiguration& service, SettingsReader& reader) {
  const ServiceConfiguration effective = in_effect(service);
  check_limits(effective.limits, reader);
  check_threads(service, reader);
  check_programs(service, reader);
  check_listen(service, effective.model.work, reader);
  check_log(service.log, reader);
  check_admission(service.admission, effective, reader);
  check_proxy(service.proxy, reader);
  check_access_log(service.access_log, reader);
  check_process(service.process, reader);
  check_own_settings(service, reader);
  check_identity(service, reader);
  check_sandbox(service, reader);
  check_status(service.status, reader);
  service = in_effect(std::move(service));
}

}  // namespace brood
