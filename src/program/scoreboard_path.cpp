// SPDX-License-Identifier: MIT
#include "program/scoreboard_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "brood/snapshot.hpp"

namespace brood {
namespace {

std::string directory_of(const Configuration& configuration) {
  return configuration.runtime_directory.empty() ? default_runtime_directory()
                                                 : configuration.runtime_directory;
}

// A scoreboard that can't be read says nothing, and is replaced.
std::optional<pid_t> known_server(const std::string& scoreboard) {
  try {
    return running_server(scoreboard);
  } catch (const Error&) {
    return {};
  }
}

// This is only a warning: a server that passes its listeners on still runs while the next one starts.
void warn_of_other_server(const std::string& scoreboard) {
  if (const auto other = known_server(scoreboard))
    log_warning(text("scoreboard ", scoreboard, " was that of process ", *other,
                     ", which still runs: broodctl now shows this server; to run both, set name or "
                     "runtime-directory"));
}

}  // namespace

std::string scoreboard_path(const Configuration& configuration) {
  if (configuration.runtime_directory == "none") return "";
  return text(directory_of(configuration), "/", configuration.name, ".scoreboard");
}

std::string prepare_scoreboard(const Configuration& configuration) {
  std::string path = scoreboard_path(configuration);
  if (path.empty()) return "";
  const std::string directory = directory_of(configuration);
  struct stat status {};
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    log_warning(text(std::string_view(SystemError("runtime-directory " + directory, errno).what()),
                     "; the scoreboard is anonymous, broodctl can't see it"));
    return "";
  }
  // The owner of the directory (in /tmp, say) could replace the file.
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      (status.st_uid != ::geteuid() && status.st_uid != 0) || ::access(directory.c_str(), W_OK) != 0) {
    log_warning(text(
        "runtime-directory ", directory,
        " is not a directory that this user owns and can write; the scoreboard is anonymous, broodctl can't "
        "see it"));
    return "";
  }
  warn_of_other_server(path);
  return path;
}

std::optional<pid_t> running_server(const std::string& scoreboard) {
  if (scoreboard.empty() || (::access(scoreboard.c_str(), F_OK) != 0 && errno == ENOENT)) return {};
  const Snapshot other = Snapshot::read(scoreboard);
  // This process, if it was upgraded in place.
  if (!other.parent_alive || other.parent_pid == ::getpid()) return {};
  return other.parent_pid;
}

void refuse_second_server(const Configuration& configuration) {
  if (const auto other = known_server(scoreboard_path(configuration)))
    throw ConfigurationError(text("server ", configuration.name, " already runs, as process ", *other,
                                  ": stop that one first, or set name or runtime-directory"));
}

}  // namespace brood
