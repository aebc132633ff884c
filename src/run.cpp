// SPDX-License-Identifier: MIT
// A server program from main() to exit code: settings, log, daemon, pid file, parent.
#include "brood/server_base.hpp"

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "brood/error.hpp"
#include "brood/program.hpp"
#include "brood/snapshot.hpp"
#include "daemon.hpp"
#include "executable.hpp"
#include "heir.hpp"
#include "identity.hpp"
#include "log_target.hpp"
#include "parent.hpp"
#include "pid_file.hpp"
#include "program_settings.hpp"
#include "signals.hpp"
#include "succession.hpp"
#include "text.hpp"

namespace brood {
namespace {

LogTarget log_target(const Configuration& configuration) {
  const auto& services = configuration.services;
  // Where services have different users, the file can't be everybody's: it stays the parent's.
  const bool one_user = std::all_of(services.begin(), services.end(), [&](const auto& service) {
    return service.user == services.front().user;
  });
  return {.name = configuration.name,
          .to = configuration.log,
          .level = level_of(configuration.log_level),
          .owner = one_user ? find_identity(services.front().user, "").user : no_user};
}

// A server that hands its listener on still runs while its successor starts; any other is a mistake to be
// told.
void warn_of_other_server(const std::string& scoreboard) {
  try {
    const Snapshot other = Snapshot::read(scoreboard);
    if (other.parent_alive)
      log_warning(text(
          "scoreboard ", scoreboard, " was that of process ", other.parent_pid,
          ", which still runs: broodctl shows this server from now on; set name or runtime-directory if both "
          "are to stay"));
  } catch (const Error&) {
    // None there, or one that nobody can read any more: it is replaced.
  }
}

// Where the scoreboard goes; "" where it has to be anonymous. The directory may be made, its parents must be
// there.
std::string prepare_scoreboard_path(const Configuration& configuration) {
  if (configuration.runtime_directory == "none") return "";
  const std::string directory =
      configuration.runtime_directory.empty() ? default_runtime_directory() : configuration.runtime_directory;
  struct stat status {};
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    log_warning(text(std::string_view(SystemError("runtime-directory " + directory, errno).what()),
                     "; the scoreboard is anonymous, broodctl can't see it"));
    return "";
  }
  // A directory of somebody else's (in /tmp, say) would let them put another file in its place.
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      (status.st_uid != ::geteuid() && status.st_uid != 0) || ::access(directory.c_str(), W_OK) != 0) {
    log_warning(text(
        "runtime-directory ", directory,
        " is not a directory that this user owns and can write; the scoreboard is anonymous, broodctl can't "
        "see it"));
    return "";
  }
  std::string path = text(directory, "/", configuration.name, ".scoreboard");
  warn_of_other_server(path);
  return path;
}

void print_errors(const char* what) {
  for (const auto line : split(what, '\n')) std::fprintf(stderr, "%s\n", escape(line).c_str());
}

// What is opened next must not become standard input, output or error by chance.
void fill_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0) Descriptor(::open("/dev/null", O_RDWR)).release();
}

using Servers = std::span<const NamedServer>;

std::chrono::milliseconds longest_graceful_timeout(const Configuration& configuration) {
  std::chrono::milliseconds longest{0};
  for (const auto& service : configuration.services) {
    if (service.limits.graceful_timeout.count() == 0) return std::chrono::milliseconds(0);
    longest = std::max(longest, service.limits.graceful_timeout);
  }
  return longest;
}

// What this process was started as, and what is left to it, where it takes a former program's place.
struct Beginning {
  Executable executable;
  std::optional<Heir> heir;

  const Inheritance& left() const { return heir->left(); }
};

// They hold as long as the process lives.
void hold(CommandLine& line, const Inheritance& left) {
  for (const auto& [name, value] : {std::pair{"name", left.name},
                                    {"runtime-directory", left.runtime_directory},
                                    {"pid-file", left.pid_file}})
    line.settings[name] = {.values = {value}, .where = "the running server"};
}

// Whether this program could take over, in a process that changes nothing and ends.
int rehearse(const Beginning& beginning, const Configuration& configuration) {
  check_succession(beginning.left(), configuration.services);
  check_room(beginning.left());
  try_log(log_target(configuration));
  std::size_t children = 0;
  for (const auto& service : beginning.left().services) children += service.children.size();
  std::puts(rehearsed_line(configuration.services.size(), children).c_str());
  return 0;
}

int serve(Servers servers, const CommandLine& line, ProgramSettings& settings, Daemon& daemon,
          Beginning& beginning) {
  std::optional<Heir>& heir = beginning.heir;
  // Who started first is who is right about the name, the pid file and the scoreboard: those don't change
  // while running.
  const Configuration started = settings.in_force();
  PidFile pid_file(heir ? "" : started.pid_file);
  if (heir) check_succession(heir->left(), started.services);

  std::vector<std::unique_ptr<Service>> services;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const ServiceConfiguration& its = started.services[i];
    services.push_back(heir ? std::make_unique<Service>(its, *servers[i].server, *heir->find(its.name))
                            : std::make_unique<Service>(its, *servers[i].server));
  }
  for (const auto& [name, server] : servers) server->on_parent_start();

  const std::string scoreboard = heir ? heir->left().scoreboard : prepare_scoreboard_path(started);
  ParentDuties duties;
  duties.name = started.name;
  duties.scoreboard_path = scoreboard;
  duties.read_again = [&]() -> std::vector<ServiceConfiguration> {
    settings.read(line);
    try_log(log_target(settings.staged()));
    return settings.staged().services;
  };
  duties.commit = [&](const std::string& only) {
    settings.commit(ProgramSettings::When::running, only);
    try {
      open_log(log_target(settings.in_force()));
    } catch (const Error& error) {
      log_error(text(std::string_view(error.what()), "; the log goes on as before"));
    }
    for (std::size_t i = 0; i < servers.size(); ++i)
      if (only.empty() || settings.in_force().services[i].name == only) servers[i].server->on_reload();
  };
  duties.in_child = [&] {
    daemon.forget();
    pid_file.forget();
  };
  duties.graceful_timeout = [&] { return longest_graceful_timeout(settings.in_force()); };
  duties.on_not_ready = [&] {
    log_error("not ready: children fail; the server goes on trying");
    daemon.failed(static_cast<int>(ExitCode::sick));
  };
  duties.on_ready = [&](const std::string& addresses) {
    log_info(text("ready: ", started.name, " on ", addresses, ", pid ", ::getpid(),
                  scoreboard.empty() ? "" : ", scoreboard " + scoreboard));
    daemon.ready();
  };
  duties.program = beginning.executable;
  duties.hand_over = [&](Inheritance& left) {
    left.runtime_directory = started.runtime_directory;
    left.pid_file = pid_file.path();
    left.pid_file_descriptor = pid_file.descriptor();
    left.report_descriptor = daemon.descriptor();
    left.settings = settings.given();
  };
  Parent parent = heir ? Parent(std::move(duties), std::move(services), *heir)
                       : Parent(std::move(duties), std::move(services));
  if (heir) {
    pid_file.take_over(heir->left().pid_file, heir->claim(heir->left().pid_file_descriptor));
    daemon = Daemon(heir->claim(heir->left().report_descriptor));
    parent.take_over(*heir);
  }
  daemon.leave_terminal();
  const int code = parent.run();
  log_info("stopped");
  return code;
}

int start(Servers servers, const CommandLine& line, ProgramSettings& settings, Beginning& beginning) {
  const bool detaches = settings.in_force().daemonize && !beginning.heir;
  Daemon daemon = detaches ? Daemon::detach() : Daemon();
  const auto fail = [&](const std::exception& error, ExitCode code) {
    if (beginning.heir) beginning.heir->give_back(error.what());
    print_errors(error.what());
    if (settings.in_force().log != "stderr") log_error(text("not started: ", std::string_view(error.what())));
    return static_cast<int>(code);
  };
  int code = 0;
  try {
    open_log(log_target(settings.in_force()));
    block_all_signals();
    code = serve(servers, line, settings, daemon, beginning);
  } catch (const Error& error) {
    code = fail(error, error.code());
  } catch (const std::exception& error) {
    code = fail(error, ExitCode::software);
  }
  daemon.failed(code);
  return code;
}

int run(Servers servers, int argc, char** argv) {
  fill_standard_descriptors();
  const std::string program = argc > 0 ? ::basename(argv[0]) : "brood";
  Beginning beginning;
  const auto fail = [&](const char* what, ExitCode code) {
    if (beginning.heir) beginning.heir->give_back(what);
    print_errors(what);
    return static_cast<int>(code);
  };
  try {
    beginning.executable = Executable(argc, argv);
    beginning.heir = Heir::of_this_process(beginning.executable);
    if (beginning.heir) beginning.executable.continue_as(beginning.left().program);
    ProgramSettings settings(program, servers);
    const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
    CommandLine line = parse_command_line(settings.table(), arguments.subspan(argc > 0 ? 1 : 0));
    if (beginning.heir) hold(line, beginning.left());
    if (line.help) {
      std::fputs(print_help(settings.table(), program).c_str(), stdout);
      return 0;
    }
    const bool is_former = beginning.heir && beginning.heir->is_former();
    // What the file says by now may be for the successor that gave up.
    settings.read(is_former ? CommandLine{.settings = beginning.left().settings} : line);
    settings.commit(ProgramSettings::When::starting);
    if (beginning.heir && beginning.heir->rehearses()) return rehearse(beginning, settings.in_force());
    if (line.print_config) {
      std::fputs(print_settings(settings.table(), settings.given(), "Settings of " + program).c_str(),
                 stdout);
      return 0;
    }
    if (line.test_config) {
      std::puts("settings: no mistakes found");
      return 0;
    }
    return start(servers, line, settings, beginning);
  } catch (const Error& error) {
    return fail(error.what(), error.code());
  } catch (const std::exception& error) {
    return fail(error.what(), ExitCode::software);
  }
}

}  // namespace

int ServerBase::run(int argc, char** argv) {
  const NamedServer alone{"", this};
  return brood::run({&alone, 1}, argc, argv);
}

void Program::add(std::string name, ServerBase& server) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  if (name.empty() || name.size() > 63 || name.find_first_not_of(allowed) != std::string::npos)
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
