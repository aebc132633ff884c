// SPDX-License-Identifier: MIT
// The checks of a service's settings that concern more than one value, or the machine, and of several
// services together.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/configuration.hpp"
#include "settings/service_command_settings.hpp"

namespace brood {
namespace {

// Reports mistakes in the settings of one service, whose names begin with `prefix` in the table.
class Blame {
 public:
  Blame(SettingsReader& reader, std::string prefix) : reader_(reader), prefix_(std::move(prefix)) {}
  void operator()(const std::string& setting, const std::string& wrong) const {
    reader_.blame(prefix_ + setting, prefix_ + wrong);
  }
  // "SETTING = WRITTEN " and the message, if `check` throws.
  void if_throws(const std::string& setting, const std::string& written, const auto& check) const {
    try {
      check();
    } catch (const Error& error) {
      (*this)(setting, text(setting, " = ", written, ' ', error.what()));
    }
  }
  bool given(const std::string& setting) const { return reader_.given().contains(prefix_ + setting); }
  bool empty(const std::string& setting) const {
    const Given* const value = reader_.find(prefix_ + setting);
    return value != nullptr && value->values.front().empty();
  }
  bool restores() const { return reader_.restores(); }

 private:
  SettingsReader& reader_;
  std::string prefix_;
};

void check_limits(const Limits& limits, const Blame& blame) {
  const auto exceeds = [&](const char* small, unsigned a, const char* large, unsigned b) {
    if (a <= b) return;
    blame(blame.given(small) ? small : large, text(small, " = ", a, " exceeds ", large, " = ", b));
  };
  exceeds("min-spare-servers", limits.min_spare_servers, "max-spare-servers", limits.max_spare_servers);
  exceeds("start-servers", limits.start_servers, "max-clients", limits.max_clients);
  exceeds("min-spare-servers", limits.min_spare_servers, "max-clients", limits.max_clients);
}

// Empty: it is neither a number in range nor one of the words.
std::optional<unsigned> parse_threads(const std::string& written) {
  cpu_set_t cpus;
  const unsigned number_of_cpus =
      ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? static_cast<unsigned>(CPU_COUNT(&cpus)) : 1;
  if (written == "cpu") return number_of_cpus + 1;
  if (written == "io") return 2 * number_of_cpus + 1;
  const auto number = parse_number<unsigned>(written);
  return number && *number >= 1 && *number <= most_threads ? number : std::nullopt;
}

void check_threads(ServiceConfiguration& service, const Blame& blame) {
  if (!service.model.threads) return;
  const std::string& written = service.threads_per_child;
  const auto threads = parse_threads(written);
  if (!threads)
    blame("threads-per-child", text("threads-per-child = ", written, " is not a number from 1 to ",
                                    most_threads, ", 'cpu' or 'io'"));
  else if (*threads > 1 && !service.thread_safe)
    blame("threads-per-child", text("threads-per-child = ", written,
                                    ": the handlers of this server are not declared thread-safe; set it to "
                                    "1, and use more children"));
  service.limits.threads_per_child = threads.value_or(1);
}

void check_programs(ServiceConfiguration& service, const Blame& blame) {
  const ServiceCommand& command = service.command;
  if (service.model.command && !blame.given("command"))
    blame("command", "command is not set: there is nothing to run");
  else if (service.model.command && blame.empty("command"))
    blame("command", "command =  names no program");
  else if (service.model.command && !command.words.empty() && !blame.restores())
    blame.if_throws("command", command.written, [&] { check_executable(command.program()); });
  service.on_failure_words.clear();
  if (service.on_failure.empty()) return;
  blame.if_throws("on-failure", service.on_failure, [&] {
    service.on_failure_words = parse_command(service.on_failure);
    if (!blame.restores()) check_executable(service.on_failure_words.front());
  });
}

void check_listen(ServiceConfiguration& service, WorkKind work, const Blame& blame) {
  if (service.listen.empty()) blame("listen", "listen is not set: each service needs an address of its own");
  service.listen_specs.clear();
  for (const auto& written : service.listen)
    blame.if_throws("listen", written, [&] {
      const ListenSpec spec = parse_listen(written);
      for (const auto& other : service.listen_specs)
        if (spec.port != "0" && same_place(other, spec))
          throw ConfigurationError("is the same address as '" + other.written + "'");
      if (const auto brings = spec.brings(); brings && !fits(work, *brings))
        throw ConfigurationError(work_mismatch(*brings, work));
      service.listen_specs.push_back(spec);
    });
}

void check_identity(const ServiceConfiguration& service, const Blame& blame) {
  try {
    const Identity identity = find_identity(service.user, service.group);
    if (identity.user != no_user && identity.group == no_group)
      blame("user", text("user = ", service.user, " has no account, and so no group: set group as well"));
  } catch (const Error& error) {
    blame(service.user.empty() ? "group" : "user", error.what());
  }
  for (const auto& [name, value] : {std::pair{"user", service.user}, std::pair{"group", service.group}})
    if (!value.empty() && ::geteuid() != 0)
      blame(name, text(name, " = ", value, " needs a parent that runs as root"));
}

void check_one(ServiceConfiguration& service, const Blame& blame) {
  const ServiceConfiguration effective = in_effect(service);
  check_limits(effective.limits, blame);
  check_threads(service, blame);
  check_programs(service, blame);
  check_listen(service, effective.model.work, blame);
  check_identity(service, blame);
}

void check_places(const Configuration& configuration, SettingsReader& reader) {
  for (const auto& one : configuration.services)
    for (const auto& other : configuration.services) {
      if (&one == &other) break;
      if (const ListenSpec* place = place_in_both(one, other))
        reader.blame(one.name + ".listen", text(one.name, ".listen = ", place->written,
                                                " is the same address as one of ", other.name));
    }
}

}  // namespace

const ListenSpec* place_in_both(const ServiceConfiguration& one, const ServiceConfiguration& other) {
  for (const auto& spec : one.listen_specs)
    for (const auto& taken : other.listen_specs)
      if (spec.port != "0" && spec.kind != ListenSpec::Kind::timer && same_place(spec, taken)) return &spec;
  return nullptr;
}

bool is_service_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !name.empty() && name.size() <= 63 && name.find_first_not_of(allowed) == std::string_view::npos;
}

void check_service(ServiceConfiguration& service, SettingsReader& reader) {
  check_one(service, Blame(reader, ""));
}

void check_together(Configuration& configuration, SettingsReader& reader) {
  const bool several = configuration.services.size() > 1;
  for (auto& service : configuration.services)
    check_one(service, Blame(reader, several ? service.name + '.' : ""));
  check_places(configuration, reader);
  check_parent(configuration, reader);
}

}  // namespace brood
