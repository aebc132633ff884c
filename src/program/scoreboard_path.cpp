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

// Of one that can't be read any more nothing is known, and it is replaced.
std::optional<pid_t> known_server(const std::string& scoreboard) {
  try {
    return running_server(scoreboard);
  } catch (const Error&) {
    return {};
  }
}

// A server that hands its listener on still runs while its successor starts; any other is a mistake to be
// told.
void warn_of_other_server(const std::string& scoreboard) {
  if (const auto other = known_server(scoreboard))
    log_warning(text(
        "scoreboard ", scoreboard, " was that of process ", *other,
        ", which still runs: broodctl shows this server from now on; set name or runtime-directory if both "
        "are to stay"));
}

}  // namespace

std::string scoreboard_path(const Configuration& configuration) {
  if (configuration.runtime_directory == "none") return "";
  return text(directory_of(configuration), "/", configuration.name, ".scoreboard");
}

std::string prepare_scoreboard(const Configuration& configuration) {
  const std::string path = scoreboard_path(configuration);
  if (path.empty()) return "";
  const std::string directory = directory_of(configuration);
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
  warn_of_other_server(path);
  return path;
}

std::optional<pid_t> running_server(const std::string& scoreboard) {
  if (scoreboard.empty() || (::access(scoreboard.c_str(), F_OK) != 0 && errno == ENOENT)) return {};
  const Snapshot other = Snapshot::read(scoreboard);
  // It may be this one, upgraded in place.
  if (!other.parent_alive || other.parent_pid == ::getpid()) return {};
  return other.parent_pid;
}

void refuse_namesake(const Configuration& configuration) {
  if (const auto other = known_server(scoreboard_path(configuration)))
    throw ConfigurationError(text("server ", configuration.name, " runs already, as process ", *other,
                                  ": stop that one first, or set name or runtime-directory"));
}

}  // namespace brood
