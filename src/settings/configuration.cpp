// SPDX-License-Identifier: MIT
#include "settings/configuration.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/identity.hpp"
#include "base/service_command.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/command_settings.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

constexpr unsigned most_children = 32'768;
constexpr milliseconds longest{std::chrono::hours(24 * 30)};

constexpr unsigned most_connections = 100'000;

void add_pool_settings(Settings& settings, Limits& limits) {
  settings.section("How many children");
  settings.number("start-servers", limits.start_servers, 0, most_children,
                  "Children that are started at once; 0: none before the first connection comes.");
  settings.number(
      "min-spare-servers", limits.min_spare_servers, 0, most_children,
      "When fewer children than this are spares, more are started, at once. 0: one is started when "
      "something comes and nobody can take it; the parent watches the listeners meanwhile.");
  settings.number(
      "max-spare-servers", limits.max_spare_servers, 1, most_children,
      "When more children than this stay spares, the surplus is told to leave, a quarter of it each second.");
  settings.number(
      "max-clients", limits.max_clients, 1, most_children,
      "There are never more children than this, whatever they do. Connections beyond wait in the listener's "
      "queue.");
  settings.number(
      "max-requests-per-child", limits.max_requests_per_child, 0, 1'000'000'000,
      "After so many connections a child is replaced by a fresh one; 0: never. For handlers around "
      "libraries that leak.");
}

void add_model_settings(Settings& settings, ServiceConfiguration& service, const ChildModel& model) {
  if (!model.threads && !model.many_connections) return;
  settings.section("How much a child does at once");
  if (model.threads)
    settings.text(
        "threads-per-child", service.threads_per_child,
        "How many handlers run at once in a child: a number from 1 to 1024, 'cpu' for one more than "
        "there are CPUs, where handlers compute, or 'io' for twice as many and one, where they wait "
        "for something. Above 1 the program must have declared that its handlers can bear it.");
  if (!model.many_connections) return;
  settings.number("max-connections-per-child", service.limits.max_connections_per_child, 1, most_connections,
                  "How many connections a child has at once. A child with fewer is a spare.");
  settings.duration("connection-idle-timeout", service.limits.connection_idle_timeout, milliseconds(0),
                    longest,
                    "A connection on which nothing is read or written for so long is closed; 0: no limit.");
}

// Empty: neither a number in range nor one of the words.
std::optional<unsigned> parse_threads(const std::string& written) {
  cpu_set_t cpus;
  const unsigned number_of_cpus =
      ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? static_cast<unsigned>(CPU_COUNT(&cpus)) : 1;
  if (written == "cpu") return number_of_cpus + 1;
  if (written == "io") return 2 * number_of_cpus + 1;
  const auto number = parse_number<unsigned>(written);
  return number && *number >= 1 && *number <= most_threads ? number : std::nullopt;
}

// Blames a service's settings, whose names begin with the service's where there are several.
class Blame {
 public:
  Blame(SettingsReader& reader, std::string prefix) : reader_(reader), prefix_(std::move(prefix)) {}
  void operator()(const std::string& setting, const std::string& wrong) const {
    reader_.blame(prefix_ + setting, prefix_ + wrong);
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

void check_threads(ServiceConfiguration& service, const Blame& blame) {
  if (!service.model.threads) return;
  const std::string& written = service.threads_per_child;
  const auto threads = parse_threads(written);
  if (!threads)
    blame("threads-per-child", text("threads-per-child = ", written, " is not a number from 1 to ",
                                    most_threads, ", 'cpu' or 'io'"));
  else if (*threads > 1 && !service.thread_safe)
    blame("threads-per-child",
          text("threads-per-child = ", written,
               ": this server's handlers can't run in threads (thread_safe() doesn't say so); "
               "let more children do it"));
  service.limits.threads_per_child = threads.value_or(1);
}

void add_time_settings(Settings& settings, Limits& limits) {
  settings.section("How long");
  settings.duration(
      "graceful-timeout", limits.graceful_timeout, milliseconds(0), longest,
      "How long SIGTERM lets connections in hand go on before what is left is killed; 0: without limit.");
  settings.duration(
      "idle-timeout", limits.idle_timeout, milliseconds(0), longest,
      "A child that is idle for so long is told to leave, as long as there are more spares than "
      "min-spare-servers. 0: no limit.");
  settings.duration(
      "connection-timeout", limits.connection_timeout, milliseconds(0), longest,
      "A child that is busy with one connection for longer gets SIGABRT, 5 seconds later SIGKILL, and is "
      "replaced; the log says what it was serving. 0: no limit. Must exceed every limit that the handler "
      "has for its input and output.");
  settings.duration(
      "leave-timeout", limits.leave_timeout, milliseconds(1), longest,
      "How long a child that was told to leave may take for it when it has nothing in hand; after that it "
      "gets SIGABRT, 5 seconds later SIGKILL.");
  settings.duration(
      "detach-timeout", limits.detach_timeout, milliseconds(1), longest,
      "How long a child that has given its slot back, which its program decides, may live on; after that it "
      "gets SIGABRT, 5 seconds later SIGKILL.");
}

}  // namespace

ServiceConfiguration::ServiceConfiguration(std::string its_name, const ChildModel& its_model,
                                           bool is_thread_safe)
    : name(std::move(its_name)), model(its_model), thread_safe(is_thread_safe) {
  if (model.many_connections) {
    limits.max_connections_per_child = 1000;
    limits.connection_idle_timeout = std::chrono::minutes(1);
  }
  if (model.work == WorkKind::triggers) listen = {"timer:30s"};
  if (model.work == WorkKind::datagrams) listen = {"udp:127.0.0.1:8000"};
}

void add_service_settings(Settings& settings, ServiceConfiguration& service) {
  settings.section("Where connections arrive");
  settings.list(
      "listen", service.listen,
      "Where to listen. For connections: HOST:PORT, [IPv6]:PORT, *:PORT for every address, PORT for "
      "127.0.0.1, or unix:PATH. For datagrams: the same behind udp:, or unix-datagram:PATH. For triggers: "
      "timer:TIME, which ticks each time that TIME is over, as timer:30s, or fifo:PATH, into which lines are "
      "written. For any socket fd:N, inherited as descriptor N. Port 0 takes a free one. Behind it may stand "
      "',name=NAME', which the handler can read; for a unix socket or a FIFO ',mode=0660' and "
      "',owner=USER:GROUP'; and for a FIFO ',per=byte' where each byte is a trigger.");
  settings
      .number("listen-backlog", service.listen_backlog, 1, 65'535,
              "How many connections may wait in a listener's queue. The kernel has a limit of its own, "
              "net.core.somaxconn. For UDP, how many datagrams of a kilobyte; the limit of a parent that is "
              "not root is net.core.rmem_max.")
      .applied_on = AppliedOn::restart;
  if (service.model.command) add_command_settings(settings, service.command);
  add_pool_settings(settings, service.limits);
  add_model_settings(settings, service, service.model);
  add_time_settings(settings, service.limits);

  settings.section("When children fail");
  settings.text("on-failure", service.on_failure,
                "A command that the parent runs, as its own user, when a child has failed: an absolute path "
                "and arguments, in quotes where they have blanks. At most once a minute, for a minute at "
                "most. Its environment tells BROOD_SERVICE, BROOD_SLOT, BROOD_CHILD_PID, BROOD_EXIT_CODE or "
                "BROOD_SIGNAL and BROOD_SIGNAL_NAME, and BROOD_FAILURES since the last run. Empty: none.");

  settings.section("As whom");
  settings
      .text("user", service.user,
            "The user, by name or number, that children become; empty: they stay who the parent is.")
      .applied_on = AppliedOn::restart;
  settings.text("group", service.group, "The group that children become; empty: that of the user.")
      .applied_on = AppliedOn::restart;
}

void add_log_level(Settings& settings, std::string& level) {
  settings.choice("log-level", level, {"debug", "info", "warning", "error"},
                  "The least important messages that are logged.");
}

void add_parent_settings(Settings& settings, Configuration& configuration) {
  settings.section("The parent");
  settings.text("name", configuration.name, "What the server is called in the log and by broodctl.")
      .applied_on = AppliedOn::restart;
  settings
      .flag("daemonize", configuration.daemonize,
            "Whether to leave the terminal and go on in the background.")
      .applied_on = AppliedOn::restart;
  settings
      .text("pid-file", configuration.pid_file,
            "Where the parent's pid is written. The file is locked: a second server with the same file "
            "doesn't start. "
            "Empty: no file.")
      .applied_on = AppliedOn::restart;
  settings
      .text("runtime-directory", configuration.runtime_directory,
            "Where the scoreboard is, as NAME.scoreboard, for broodctl to read, and NAME.control, by which "
            "it gives "
            "orders. Empty: /run/brood for root, "
            "XDG_RUNTIME_DIR/brood or else /tmp/brood-UID for other users. 'none': the scoreboard is in "
            "anonymous "
            "memory, and broodctl can neither see the server nor give it orders.")
      .applied_on = AppliedOn::restart;
  settings.text("log", configuration.log, "Where the log goes: stderr, syslog, or the path of a file.");
  add_log_level(settings, configuration.log_level);
}

namespace {

void check_programs(ServiceConfiguration& service, const Blame& blame) {
  const auto check = [&](const std::string& setting, const std::string& written, const auto& step) {
    try {
      step();
    } catch (const Error& error) {
      blame(setting, text(setting, " = ", written, " ", std::string_view(error.what())));
    }
  };
  const ServiceCommand& command = service.command;
  if (service.model.command && !blame.given("command"))
    blame("command", "command is not set: there is nothing to run");
  else if (service.model.command && blame.empty("command"))
    blame("command", "command =  names no program");
  else if (service.model.command && !command.words.empty() && !blame.restores())
    check("command", command.written, [&] { check_executable(command.program()); });
  service.on_failure_words.clear();
  if (service.on_failure.empty()) return;
  check("on-failure", service.on_failure, [&] {
    service.on_failure_words = parse_command(service.on_failure);
    if (!blame.restores()) check_executable(service.on_failure_words.front());
  });
}

void check_one(ServiceConfiguration& service, const Blame& blame) {
  const ServiceConfiguration effective = in_effect(service);
  const Limits& limits = effective.limits;
  const auto exceeds = [&](const char* small, unsigned a, const char* large, unsigned b) {
    if (a <= b) return;
    blame(blame.given(small) ? small : large, text(small, " = ", a, " exceeds ", large, " = ", b));
  };
  exceeds("min-spare-servers", limits.min_spare_servers, "max-spare-servers", limits.max_spare_servers);
  exceeds("start-servers", limits.start_servers, "max-clients", limits.max_clients);
  exceeds("min-spare-servers", limits.min_spare_servers, "max-clients", limits.max_clients);

  check_threads(service, blame);
  check_programs(service, blame);
  if (service.listen.empty()) blame("listen", "listen is not set: each service needs a place of its own");
  service.listen_specs.clear();
  for (const auto& written : service.listen) {
    try {
      const ListenSpec spec = parse_listen(written);
      for (const auto& other : service.listen_specs)
        if (spec.port != "0" && same_place(other, spec))
          throw ConfigurationError("is the same address as '" + other.written + "'");
      if (const auto brings = spec.brings(); brings && !fits(effective.model.work, *brings))
        throw ConfigurationError(work_mismatch(*brings, effective.model.work));
      service.listen_specs.push_back(spec);
    } catch (const Error& error) {
      blame("listen", text("listen = ", written, " ", std::string_view(error.what())));
    }
  }
  try {
    const Identity identity = find_identity(service.user, service.group);
    if (identity.user != no_user && identity.group == no_group)
      blame("user",
            text("user = ", service.user, " has no account here, and so no group: set group as well"));
  } catch (const Error& error) {
    blame(service.user.empty() ? "group" : "user", error.what());
  }
  for (const auto& [name, value] : {std::pair{"user", service.user}, std::pair{"group", service.group}})
    if (!value.empty() && ::geteuid() != 0)
      blame(name, text(std::string_view(name), " = ", value, " needs a parent that runs as root"));
}

// Two services can't have one address.
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

void check_parent(const Configuration& configuration, SettingsReader& reader) {
  const auto blame = [&](const char* setting, const std::string& wrong) { reader.blame(setting, wrong); };
  if (configuration.name.empty() || configuration.name.size() > 63 ||
      configuration.name.find('/') != std::string::npos)
    blame("name", text("name = ", configuration.name, " is not 1 to 63 bytes without '/'"));
  if (configuration.daemonize && configuration.log == "stderr")
    blame("daemonize",
          "daemonize = yes leaves the terminal, where log = stderr goes: set log to syslog or a file");
  if (configuration.log.empty()) blame("log", "log must not be empty");
}

void check_together(Configuration& configuration, SettingsReader& reader) {
  const bool several = configuration.services.size() > 1;
  for (auto& service : configuration.services)
    check_one(service, Blame(reader, several ? service.name + '.' : ""));
  check_places(configuration, reader);
  check_parent(configuration, reader);
}

}  // namespace brood
