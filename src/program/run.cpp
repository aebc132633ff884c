// SPDX-License-Identifier: MIT
// A server program from main() to exit code: settings, log, daemon, pid file, parent.
#include "program/run.hpp"

#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <span>

#include "base/log/log_target.hpp"
#include "base/lookup/identity.hpp"
#include "base/process/process_title.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/text/help_text.hpp"
#include "base/text/version.hpp"
#include "brood/error.hpp"
#include "brood/program.hpp"
#include "listen/inherited.hpp"
#include "models/programs/child_handover.hpp"
#include "parent/parent.hpp"
#include "program/files/name_claim.hpp"
#include "program/files/scoreboard_path.hpp"
#include "program/program_log.hpp"
#include "program/program_settings.hpp"
#include "program/running_program.hpp"
#include "program/service_starter.hpp"
#include "program/single.hpp"
#include "program/slot_program.hpp"
#include "program/start_trial.hpp"
#include "program/surroundings.hpp"
#include "settings/help.hpp"
#include "upgrade/takeover.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {
namespace {

constexpr const char* single_option = "single";

// What is opened next must not become standard input, output or error by chance.
void fill_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0) Descriptor(::open("/dev/null", O_RDWR)).release();
}

int serve(const ServiceSource& source, WantedSettings wanted, Daemon& daemon, Takeover& takeover) {
  const HandedOver* const from = takeover.handed_over();
  const Configuration& started = *wanted.parent;
  const ServiceRules rules = source.rules(started);
  NameClaim name;
  if (from == nullptr) {
    name.take(started);
    refuse_second_server(started);
  }
  PidFile pid_file(from != nullptr ? "" : started.pid_file);
  if (from != nullptr) takeover.check(wanted.services, rules.come_and_go);
  const bool many = rules.come_and_go || wanted.services.size() > 1;

  auto services = ServiceStarter(started, takeover, rules).start(std::move(wanted.services));
  ScoreboardPlace place{.path = from != nullptr ? from->scoreboard : "", .directory = many};
  if (from == nullptr) place = prepare_scoreboards(started, many);
  if (!started.status_group.empty()) place.readers = find_identity("", started.status_group).group;
  StatusListener status;
  status.open(started.status_listen, from);
  ServiceManager manager(from == nullptr ? started.notify_fd : -1);
  RunningProgram program(source, wanted.parent, std::move(place), takeover.executable(), daemon, pid_file,
                         name, manager, status);
  Parent parent =
      from != nullptr ? Parent(program, std::move(services), takeover) : Parent(program, std::move(services));
  if (from != nullptr) {
    pid_file.take_over(from->pid_file, takeover.claim(from->pid_file_descriptor));
    name.take_over(NameClaim::path_for(started), takeover.claim(from->name_descriptor));
    daemon = Daemon(takeover.claim(from->report_descriptor));
    status.take_over(takeover);
    parent.take_over(takeover);
  }
  daemon.close_terminal();
  const int code = parent.run();
  log_info("stopped");
  return code;
}

int start(const ServiceSource& source, WantedSettings wanted, Takeover& takeover, bool single) {
  const std::shared_ptr<const Configuration> parent = wanted.parent;
  if (single && parent->daemonize) throw ConfigurationError("--single and daemonize exclude each other");
  const bool detaches = parent->daemonize && takeover.handed_over() == nullptr;
  if (detaches) check_paths_of_background(source, wanted);
  close_left_descriptors(descriptors_to_keep(wanted));
  // After an upgrade other files may have these numbers: the former program hands over those that it has.
  if (takeover.handed_over() == nullptr) keep_inherited(listeners_to_keep(wanted));
  Daemon daemon = detaches ? Daemon::detach() : Daemon();
  const auto fail = [&](const std::string& what, ExitCode code) {
    takeover.give_back(what);
    print_errors(what);
    if (parent->log.to != "stderr") log_error(text("not started: ", what));
    return static_cast<int>(code);
  };
  int code = 0;
  try {
    open_log(log_target(*parent));
    for (const auto& variable : source.environment().strangers()) log_warning(variable);
    block_all_signals();
    code = single ? serve_single(std::move(wanted.services))
                  : serve(source, std::move(wanted), daemon, takeover);
  } catch (const Error& error) {
    code = fail(error.what(), error.code());
  } catch (...) {
    code = fail(what_was_thrown(), ExitCode::software);
  }
  daemon.failed(code);
  return code;
}

int run(std::span<const NamedServer> servers, const std::string& version, int argc, char** argv) {
  return run_program(argc, argv, [&](Takeover& takeover) {
    const std::string program = argc > 0 ? ::basename(argv[0]) : "brood";
    const auto arguments =
        std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0);
    if (is_checked_as_child()) return check_as_child(servers, program, arguments);
    if (const auto handover = read_handover(child_variable))
      return run_as_child(*handover, servers, program, arguments);
    ProgramSettings settings(program, servers);
    const ProgramOptions options = {
        {single_option, "", "serve in this process, without children, for a debugger"}};
    const CommandLine line = parse_command_line(settings.table(), arguments, options);
    if (line.help) {
      std::fputs(print_help(settings.table(), program, terminal_width(STDOUT_FILENO), options).c_str(),
                 stdout);
      return 0;
    }
    if (line.version) {
      std::fputs(version_line(program, version).c_str(), stdout);
      return 0;
    }
    return run_source(settings, line, takeover);
  });
}

}  // namespace

int run_source(ServiceSource& source, const CommandLine& line, Takeover& takeover) {
  WantedSettings wanted = takeover.read(source, line);
  const std::string mistakes = wanted.mistakes();
  const ServiceRules rules = source.rules(*wanted.parent);
  const bool refused = !mistakes.empty() && (line.test_config || rules.all_or_none);
  if (refused) throw ConfigurationError(mistakes);
  if (takeover.rehearses()) {
    takeover.rehearse(wanted.services, rules.come_and_go);
    try_logs(wanted);
    return 0;
  }
  if (line.print_config || line.test_config)
    for (const auto& variable : source.environment().strangers()) print_errors(variable);
  if (line.print_config) {
    print_errors(mistakes);
    std::fputs(source.print(wanted).c_str(), stdout);
    return 0;
  }
  if (line.test_config) {
    if (!is_upgrade_test()) try_start(wanted);
    try_logs(wanted);
    std::puts("settings: no mistakes found");
    return 0;
  }
  return start(source, std::move(wanted), takeover, line.options.contains(single_option));
}

int run_program(int argc, char** argv, const std::function<int(Takeover&)>& program) {
  process_title::find_memory(argv);
  fill_standard_descriptors();
  restore_signals();
  disarm_signals();
  std::optional<Takeover> takeover;
  const auto fail = [&](const std::string& what, ExitCode code) {
    if (takeover) takeover->give_back(what);
    print_errors(what);
    return static_cast<int>(code);
  };
  try {
    takeover.emplace(argc, argv);
    return program(*takeover);
  } catch (const Error& error) {
    return fail(error.what(), error.code());
  } catch (...) {
    return fail(what_was_thrown(), ExitCode::software);
  }
}

int ServerBase::run(int argc, char** argv) {
  const NamedServer alone{"", this};
  return brood::run({&alone, 1}, version(), argc, argv);
}

void Program::add(std::string name, ServerBase& server) {
  if (!is_service_name(name))
    throw Error("service name '" + name + "' is not 1 to 63 letters, digits, '-' or '_'");
  for (const auto& known : servers_)
    if (known.name == name) throw Error("service " + name + " is added twice");
  servers_.push_back({std::move(name), &server});
}

int Program::run(int argc, char** argv) {
  if (servers_.empty()) throw Error("a program needs a service");
  std::vector<NamedServer> servers;
  for (const auto& [name, server] : servers_) servers.push_back({name, server});
  return brood::run(servers, version_, argc, argv);
}

}  // namespace brood
