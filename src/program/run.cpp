// SPDX-License-Identifier: MIT
// A server program from main() to exit code: settings, log, daemon, pid file, parent.
#include "program/run.hpp"

#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <span>

#include "base/log_target.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/program.hpp"
#include "models/programs/child_handover.hpp"
#include "parent/parent.hpp"
#include "program/program_log.hpp"
#include "program/program_settings.hpp"
#include "program/running_program.hpp"
#include "program/scoreboard_path.hpp"
#include "program/service_starter.hpp"
#include "program/slot_program.hpp"
#include "upgrade/takeover.hpp"

namespace brood {
namespace {

// What is opened next must not become standard input, output or error by chance.
void fill_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0) Descriptor(::open("/dev/null", O_RDWR)).release();
}

int serve(ServiceSource& source, std::vector<WantedService> wanted, Daemon& daemon, Takeover& takeover) {
  const HandedOver* const from = takeover.handed_over();
  // The name, the pid file and the scoreboard stay as they were at the start.
  const Configuration started = source.in_force();
  const ServiceRules rules = source.rules();
  if (rules.refuses_namesake) refuse_second_server(started);
  PidFile pid_file(from != nullptr ? "" : started.pid_file);
  if (from != nullptr) takeover.check(wanted, rules.reserved_entries > 0);

  auto services = ServiceStarter(source, started, takeover).start(std::move(wanted));
  RunningProgram program(source, started, from != nullptr ? from->scoreboard : prepare_scoreboard(started),
                         takeover.executable(), daemon, pid_file);
  Parent parent =
      from != nullptr ? Parent(program, std::move(services), takeover) : Parent(program, std::move(services));
  if (from != nullptr) {
    pid_file.take_over(from->pid_file, takeover.claim(from->pid_file_descriptor));
    daemon = Daemon(takeover.claim(from->report_descriptor));
    parent.take_over(takeover);
  }
  daemon.close_terminal();
  const int code = parent.run();
  log_info("stopped");
  return code;
}

int start(ServiceSource& source, std::vector<WantedService> wanted, Takeover& takeover) {
  const bool detaches = source.in_force().daemonize && takeover.handed_over() == nullptr;
  Daemon daemon = detaches ? Daemon::detach() : Daemon();
  const auto fail = [&](const std::string& what, ExitCode code) {
    takeover.give_back(what);
    print_errors(what);
    if (source.in_force().log != "stderr") log_error(text("not started: ", what));
    return static_cast<int>(code);
  };
  int code = 0;
  try {
    open_log(log_target(source.in_force()));
    block_all_signals();
    code = serve(source, std::move(wanted), daemon, takeover);
  } catch (const Error& error) {
    code = fail(error.what(), error.code());
  } catch (...) {
    code = fail(what_was_thrown(), ExitCode::software);
  }
  daemon.failed(code);
  return code;
}

int run(std::span<const NamedServer> servers, int argc, char** argv) {
  return run_program(argc, argv, [&](Takeover& takeover) {
    const std::string program = argc > 0 ? ::basename(argv[0]) : "brood";
    const auto arguments =
        std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0);
    if (const auto handover = read_handover(child_variable))
      return run_as_child(*handover, servers, program, arguments);
    ProgramSettings settings(program, servers);
    const CommandLine line = parse_command_line(settings.table(), arguments);
    if (line.help) {
      std::fputs(print_help(settings.table(), program).c_str(), stdout);
      return 0;
    }
    return run_source(settings, line, takeover);
  });
}

}  // namespace

int run_source(ServiceSource& source, const CommandLine& line, Takeover& takeover) {
  takeover.configure(source, line);
  std::vector<WantedService> wanted = source.read();
  std::string mistakes;
  for (const auto& each : wanted)
    if (!each.mistakes.empty()) mistakes += (mistakes.empty() ? "" : "\n") + each.mistakes;
  source.commit(When::starting, "");
  const bool refused = !mistakes.empty() && (line.test_config || source.rules().all_or_none);
  if (refused) throw ConfigurationError(mistakes);
  if (takeover.rehearses()) {
    takeover.rehearse(wanted, source.rules().reserved_entries > 0);
    try_log(log_target(source.in_force()));
    return 0;
  }
  if (line.print_config) {
    print_errors(mistakes);
    std::fputs(source.print().c_str(), stdout);
    return 0;
  }
  if (line.test_config) {
    std::puts("settings: no mistakes found");
    return 0;
  }
  return start(source, std::move(wanted), takeover);
}

int run_program(int argc, const char* const* argv, const std::function<int(Takeover&)>& program) {
  fill_standard_descriptors();
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
  return brood::run({&alone, 1}, argc, argv);
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
  return brood::run(servers, argc, argv);
}

}  // namespace brood
