// SPDX-License-Identifier: MIT
// A server program from main() to exit code: settings, log, daemon, pid file, parent.
#include "program/run.hpp"

#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>

#include "base/identity.hpp"
#include "base/log_target.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/program.hpp"
#include "models/child_handover.hpp"
#include "parent/parent.hpp"
#include "program/daemon.hpp"
#include "program/pid_file.hpp"
#include "program/program_settings.hpp"
#include "program/scoreboard_path.hpp"
#include "program/slot_program.hpp"
#include "upgrade/takeover.hpp"

namespace brood {
namespace {

LogTarget log_target(const Configuration& configuration) {
  const auto& services = configuration.services;
  // Where services have different users, the file can't be everybody's: it stays the parent's.
  const bool one_user =
      !services.empty() && std::all_of(services.begin(), services.end(), [&](const auto& service) {
        return service.user == services.front().user;
      });
  return {.name = configuration.name,
          .to = configuration.log,
          .level = level_of(configuration.log_level),
          .owner = one_user ? find_identity(services.front().user, "").user : no_user};
}

void print_errors(const char* what) {
  for (const auto line : split(what, '\n')) std::fprintf(stderr, "%s\n", escape(line).c_str());
}

// What is opened next must not become standard input, output or error by chance.
void fill_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0) Descriptor(::open("/dev/null", O_RDWR)).release();
}

// To the terminal, as long as there is one, and to the log.
void tell(const std::string& lines, const Configuration& configuration) {
  if (configuration.log != "stderr") print_errors(lines.c_str());
  for (const auto line : split(lines, '\n')) log_error(line);
}

// Where services are independent, one that can't be started is left out.
class Starting {
 public:
  Starting(ServiceSource& source, const Configuration& configuration, const Takeover& takeover)
      : source_(source), configuration_(configuration), takeover_(takeover) {}

  void open(WantedService& wanted) {
    const HandedOverService nothing;
    const HandedOverService* from =
        takeover_.handed_over() != nullptr ? takeover_.find(wanted.name) : &nothing;
    if (from == nullptr) return leave_out(wanted.name);
    attempt(wanted.name, [&] {
      if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
      services.push_back(std::make_unique<Service>(*wanted.configuration, wanted.server, *from));
    });
  }
  // When all listeners are bound.
  void call_hooks() {
    std::erase_if(services, [&](const auto& service) {
      return !attempt(service->name(), [&] { service->server().on_parent_start(); });
    });
  }

  // Of a start of which nothing is left: whether it is worth another try.
  ExitCode code() const { return code_; }

  std::vector<std::unique_ptr<Service>> services;

 private:
  template <typename Step>
  bool attempt(const std::string& name, const Step& step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (all_or_none()) throw;
      if (error.code() != ExitCode::configuration) code_ = ExitCode::sick;
      tell(error.what(), configuration_);
    } catch (...) {
      if (all_or_none()) throw;
      code_ = ExitCode::sick;
      tell(what_was_thrown(), configuration_);
    }
    leave_out(name);
    return false;
  }

  bool all_or_none() const { return source_.rules().all_or_none || takeover_.handed_over() != nullptr; }

  void leave_out(const std::string& name) {
    tell(text("service ", name, " is left out"), configuration_);
    source_.keep(name);
  }

  ServiceSource& source_;
  const Configuration& configuration_;
  const Takeover& takeover_;
  ExitCode code_ = ExitCode::configuration;
};

int serve(ServiceSource& source, std::vector<WantedService> wanted, Daemon& daemon, Takeover& takeover) {
  const HandedOver* const from = takeover.handed_over();
  // Who started first is who is right about the name, the pid file and the scoreboard: those don't change
  // while running.
  const Configuration started = source.in_force();
  const ServiceRules rules = source.rules();
  if (rules.refuses_namesake) refuse_namesake(started);
  PidFile pid_file(from != nullptr ? "" : started.pid_file);
  if (from != nullptr) takeover.check(wanted, rules.reserved_entries > 0);

  Starting starting(source, started, takeover);
  for (auto& each : wanted) starting.open(each);
  starting.call_hooks();
  if (starting.services.empty()) throw Error("no service is left that could be started", starting.code());

  const std::string scoreboard = from != nullptr ? from->scoreboard : prepare_scoreboard(started);
  ParentDuties duties;
  duties.name = started.name;
  duties.scoreboard_path = scoreboard;
  duties.reserved_entries = rules.reserved_entries;
  duties.all_or_none = rules.all_or_none;
  duties.read_again = [&] {
    auto wanted_now = source.read();
    try_log(log_target(source.staged()));
    return wanted_now;
  };
  duties.commit = [&](const std::string& only, const std::vector<std::string>& refused) {
    for (const auto& service : refused) source.keep(service);
    auto waits = source.commit(When::running, only);
    for (const auto& line : waits) log_warning(line);
    try {
      open_log(log_target(source.in_force()));
    } catch (const Error& error) {
      log_error(text(std::string_view(error.what()), "; the log goes on as before"));
    }
    return waits;
  };
  duties.in_child = [&] {
    daemon.forget();
    pid_file.forget();
  };
  duties.scaled = [&](const std::string& service, const ScaledSettings& scaled) {
    return source.scaled(service, scaled);
  };
  duties.on_not_ready = [&] {
    log_error("not ready: children fail; the server goes on trying");
    daemon.failed(static_cast<int>(ExitCode::sick));
  };
  duties.on_ready = [&](const std::string& addresses) {
    log_info(text("ready: ", started.name, " on ", addresses, ", pid ", ::getpid(),
                  scoreboard.empty() ? "" : ", scoreboard " + scoreboard));
    daemon.ready();
  };
  duties.program = takeover.executable();
  duties.hand_over = [&](HandedOver& to) {
    to.runtime_directory = started.runtime_directory;
    to.pid_file = pid_file.path();
    to.pid_file_descriptor = pid_file.descriptor();
    to.report_descriptor = daemon.descriptor();
    to.settings = source.given();
  };
  Parent parent = from != nullptr ? Parent(std::move(duties), std::move(starting.services), takeover)
                                  : Parent(std::move(duties), std::move(starting.services));
  if (from != nullptr) {
    pid_file.take_over(from->pid_file, takeover.claim(from->pid_file_descriptor));
    daemon = Daemon(takeover.claim(from->report_descriptor));
    parent.take_over(takeover);
  }
  daemon.leave_terminal();
  const int code = parent.run();
  log_info("stopped");
  return code;
}

int start(ServiceSource& source, std::vector<WantedService> wanted, Takeover& takeover) {
  const bool detaches = source.in_force().daemonize && takeover.handed_over() == nullptr;
  Daemon daemon = detaches ? Daemon::detach() : Daemon();
  const auto fail = [&](const std::string& what, ExitCode code) {
    takeover.give_back(what);
    print_errors(what.c_str());
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
    print_errors(mistakes.c_str());
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
    print_errors(what.c_str());
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
