// SPDX-License-Identifier: MIT
// A server program from main() to exit code: settings, log, daemon, pid file, parent.
#include "brood/server_base.hpp"

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "brood/error.hpp"
#include "brood/snapshot.hpp"
#include "configuration.hpp"
#include "daemon.hpp"
#include "identity.hpp"
#include "log_target.hpp"
#include "parent.hpp"
#include "pid_file.hpp"
#include "signals.hpp"
#include "text.hpp"

namespace brood {
namespace {

// The table of a program's settings, and their values in force. Reading again happens in two steps, so that
// nothing has changed when something is wrong: read() checks and stages, commit() puts in force.
class ProgramSettings {
 public:
  ProgramSettings(const std::string& program, ServerBase& server)
      : staged_(program, server.child_model(), server.thread_safe()), in_force_(staged_) {
    add_settings(table_, staged_);
    kits_ = table_.all().size();
    table_.section("Of this server");
    server.add_settings(table_);
  }

  const Settings& table() const { return table_; }
  const GivenSettings& given() const { return given_; }
  const Configuration& in_force() const { return in_force_; }
  const Configuration& staged() const { return staged_; }

  // Throws ConfigurationError with all that is wrong.
  void read(const CommandLine& line) {
    reader_.emplace(table_);
    if (!line.config.empty()) reader_->read_file(line.config);
    reader_->override_with(line.settings);
    reader_->check();
    reader_->store([this](const Setting& setting) { return is_kits(setting); });
    check_together(staged_, *reader_);
    reader_->finish();
  }

  void commit(bool running) {
    const auto waits = [&](const Setting& setting) {
      return running && setting.takes == Takes::restart &&
             values(setting, given_) != values(setting, reader_->given());
    };
    for (const auto& setting : table_.all())
      if (waits(setting)) log_warning(text("setting ", setting.name, " has changed; that needs a restart"));
    reader_->store([&](const Setting& setting) { return !is_kits(setting) && !waits(setting); });
    GivenSettings given = reader_->given();
    for (const auto& setting : table_.all()) {
      if (!waits(setting)) continue;
      setting.parse(values(setting, given_))();
      given.erase(setting.name);
      if (const auto before = given_.find(setting.name); before != given_.end())
        given[setting.name] = before->second;
    }
    in_force_ = staged_;
    given_ = std::move(given);
  }

 private:
  bool is_kits(const Setting& setting) const { return &setting < table_.all().data() + kits_; }

  static const std::vector<std::string>& values(const Setting& setting, const GivenSettings& given) {
    const auto found = given.find(setting.name);
    return found == given.end() ? setting.defaults : found->second.values;
  }

  Configuration staged_, in_force_;
  Settings table_;
  std::size_t kits_ = 0;
  std::optional<SettingsReader> reader_;
  GivenSettings given_;
};

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

LogTarget log_target(const Configuration& configuration) {
  return {.name = configuration.service.name,
          .to = configuration.log,
          .level = level_of(configuration.log_level),
          .owner = find_identity(configuration.service.user, "").user};
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
  std::string path = text(directory, "/", configuration.service.name, ".scoreboard");
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

int serve(ServerBase& server, const CommandLine& line, ProgramSettings& settings, Daemon& daemon) {
  // Who started first is who is right about the name, the pid file and the scoreboard: those don't change
  // while running.
  const Configuration started = settings.in_force();
  PidFile pid_file(started.pid_file);

  std::vector<std::unique_ptr<Service>> services;
  services.push_back(std::make_unique<Service>(started.service, server));
  const std::string addresses = services.front()->addresses();
  server.on_parent_start();

  const std::string scoreboard = prepare_scoreboard_path(started);
  ParentDuties duties;
  duties.name = started.service.name;
  duties.scoreboard_path = scoreboard;
  duties.read_again = [&]() -> std::vector<ServiceConfiguration> {
    settings.read(line);
    try_log(log_target(settings.staged()));
    return {settings.staged().service};
  };
  duties.commit = [&] {
    settings.commit(true);
    try {
      open_log(log_target(settings.in_force()));
    } catch (const Error& error) {
      log_error(text(std::string_view(error.what()), "; the log goes on as before"));
    }
    server.on_reload();
  };
  duties.in_child = [&] {
    daemon.forget();
    pid_file.forget();
  };
  duties.graceful_timeout = [&] { return settings.in_force().service.limits.graceful_timeout; };
  duties.on_not_ready = [&] {
    log_error("not ready: children fail; the server goes on trying");
    daemon.failed(static_cast<int>(ExitCode::sick));
  };
  duties.on_ready = [&] {
    log_info(text("ready: ", started.service.name, " on ", addresses, ", pid ", ::getpid(),
                  scoreboard.empty() ? "" : ", scoreboard " + scoreboard));
    daemon.ready();
  };
  Parent parent(std::move(duties), std::move(services));
  daemon.leave_terminal();
  const int code = parent.run();
  log_info("stopped");
  return code;
}

int start(ServerBase& server, const CommandLine& line, ProgramSettings& settings) {
  Daemon daemon = settings.in_force().daemonize ? Daemon::detach() : Daemon();
  const auto fail = [&](const std::exception& error, ExitCode code) {
    print_errors(error.what());
    if (settings.in_force().log != "stderr") log_error(text("not started: ", std::string_view(error.what())));
    return static_cast<int>(code);
  };
  int code = 0;
  try {
    open_log(log_target(settings.in_force()));
    block_all_signals();
    code = serve(server, line, settings, daemon);
  } catch (const Error& error) {
    code = fail(error, error.code());
  } catch (const std::exception& error) {
    code = fail(error, ExitCode::software);
  }
  daemon.failed(code);
  return code;
}

}  // namespace

int ServerBase::run(int argc, char** argv) {
  fill_standard_descriptors();
  const std::string program = argc > 0 ? ::basename(argv[0]) : "brood";
  try {
    ProgramSettings settings(program, *this);
    const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
    const CommandLine line = parse_command_line(settings.table(), arguments.subspan(argc > 0 ? 1 : 0));
    if (line.help) {
      std::fputs(print_help(settings.table(), program).c_str(), stdout);
      return 0;
    }
    settings.read(line);
    settings.commit(false);
    if (line.print_config) {
      std::fputs(print_settings(settings.table(), settings.given(), "Settings of " + program).c_str(),
                 stdout);
      return 0;
    }
    if (line.test_config) {
      std::puts("settings: no mistakes found");
      return 0;
    }
    return start(*this, line, settings);
  } catch (const Error& error) {
    print_errors(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    print_errors(error.what());
    return static_cast<int>(ExitCode::software);
  }
}

}  // namespace brood
