// SPDX-License-Identifier: MIT
#include "program/surroundings.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>

#include "base/file_identity.hpp"
#include "base/lookup/passed_descriptors.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr int first = STDERR_FILENO + 1;

struct LeftDescriptor {
  int number = 0;
  FileIdentity file;
};

// As the program was loaded, before main() and before any other constructor: after that, nobody can tell what
// the caller has left from what the program has opened. Static memory, so that nothing has to be constructed
// first.
constinit std::array<LeftDescriptor, 1024> left;
constinit std::size_t left_count = 0;
constinit std::bitset<NSIG> ignored;

void note_descriptor(int number) {
  struct stat status {};
  if (number < first || left_count == left.size() || ::fstat(number, &status) != 0) return;
  left[left_count++] = {.number = number, .file = FileIdentity::of(status)};
}

[[gnu::constructor(101)]] void note_what_was_left() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      ignored.set(static_cast<std::size_t>(signal));
  }
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {  // no /proc
    for (int number = first; number < static_cast<int>(left.size()); ++number) note_descriptor(number);
    return;
  }
  while (const dirent* const entry = ::readdir(directory))  // NOLINT(concurrency-mt-unsafe)
    if (const int number = std::atoi(entry->d_name); number != ::dirfd(directory)) note_descriptor(number);
  ::closedir(directory);
}

bool is_still_left(const LeftDescriptor& each) {
  const int flags = ::fcntl(each.number, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0 && each.file.is_open_as(each.number);
}

// A log can be a descriptor by its path.
std::optional<int> descriptor_in(std::string_view path) {
  for (const std::string_view directory : {"/dev/fd/", "/proc/self/fd/"})
    if (path.starts_with(directory)) return parse_number<int>(path.substr(directory.size()));
  return {};
}

bool is_relative(std::string_view path) { return !path.empty() && path.front() != '/'; }

}  // namespace

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? "" : value;
}

void restore_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (!ignored.test(static_cast<std::size_t>(signal)) || ::sigaction(signal, nullptr, &action) != 0 ||
        action.sa_handler != SIG_IGN)
      continue;
    action = {};
    action.sa_handler = SIG_DFL;
    if (::sigaction(signal, &action, nullptr) != 0) throw SystemError("set a signal's action", errno);
  }
}

std::vector<int> listeners_to_keep(const WantedSettings& wanted) {
  std::vector<int> kept;
  for (const auto& service : wanted.services)
    std::ranges::copy_if(service.inherited, std::back_inserter(kept), [](int each) { return each >= first; });
  const auto passed = static_cast<int>(PassedDescriptors::of_server().names.size());
  for (int i = 0; i < passed; ++i) kept.push_back(first_passed + i);
  return kept;
}

std::vector<int> descriptors_to_keep(const WantedSettings& wanted) {
  std::vector<int> kept = listeners_to_keep(wanted);
  if (const auto log = descriptor_in(wanted.parent->log.to)) kept.push_back(*log);
  for (const auto& service : wanted.services)
    if (service.configuration)
      if (const auto log = descriptor_in(service.configuration->log.to)) kept.push_back(*log);
  kept.push_back(wanted.parent->notify_fd);
  return kept;
}

void close_left_descriptors(std::span<const int> kept) {
  for (const auto& each : std::span(left).first(left_count))
    if (std::ranges::find(kept, each.number) == kept.end() && is_still_left(each)) ::close(each.number);
  left_count = 0;
}

void leave_callers_place() {
  ::umask(022);
  if (::chdir("/") != 0) throw SystemError("change the directory to /", errno);
  ::setenv("PWD", "/", 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  ::unsetenv("OLDPWD");     // NOLINT(concurrency-mt-unsafe)
}

void check_paths_of_background(const ServiceSource& source, const WantedSettings& wanted) {
  std::vector<std::string> mistakes;
  const auto check = [&](std::string_view what, std::string_view path) {
    if (is_relative(path))
      mistakes.push_back(
          text("daemonize = yes needs whole paths, because the server runs in /: ", what, " = ", path));
  };
  const Configuration& parent = *wanted.parent;
  for (const auto& [name, path] : source.paths(wanted)) check(name, path);
  check("pid-file", parent.pid_file);
  if (is_log_file(parent.log.to)) check("log", parent.log.to);
  if (parent.runtime_directory != "none") check("runtime-directory", parent.runtime_directory);
  for (const auto& service : wanted.services) {
    if (!service.configuration) continue;
    const std::string& log = service.configuration->log.to;
    if (log != parent.log.to && is_log_file(log)) check(service.prefix + "log", log);
    if (is_standard_output(log))
      mistakes.push_back(text("daemonize = yes needs a log that is not ", log, ": set ", service.prefix,
                              "log to syslog or to a file"));
    for (const auto& spec : service.configuration->listen_specs)
      if (spec.has_path()) check("listen", is_relative(spec.path) ? spec.written : spec.path);
  }
  if (!mistakes.empty()) throw ConfigurationError(join(mistakes));
}

}  // namespace brood
