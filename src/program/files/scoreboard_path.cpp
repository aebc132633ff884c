// SPDX-License-Identifier: MIT
#include "program/files/scoreboard_path.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "brood/snapshot.hpp"
#include "listen/socket_path.hpp"
#include "program/files/locked_file.hpp"
#include "program/files/name_claim.hpp"

namespace brood {
namespace {

std::string directory_of(const Configuration& configuration) {
  return configuration.runtime_directory.empty() ? default_runtime_directory()
                                                 : configuration.runtime_directory;
}

// Empty: the scoreboard is that of this process, or of a server that has ended. Throws Error if it can't be
// read.
std::optional<Snapshot> read_other_server(const std::string& scoreboard) {
  Snapshot other = Snapshot::read(scoreboard);
  // This process, if it was upgraded in place.
  if (!other.parent_alive || other.parent_pid == ::getpid()) return {};
  return other;
}

// What others have put there says nothing.
bool is_ours(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && (status.st_uid == ::geteuid() || status.st_uid == 0);
}

// A scoreboard that can't be read says nothing, and is replaced.
std::optional<Snapshot> known_server(const std::string& scoreboard) {
  if (!is_ours(scoreboard)) return {};
  try {
    return read_other_server(scoreboard);
  } catch (const Error&) {
    return {};
  }
}

// Its successor may start while it finishes its connections.
void warn_of_server_that_stops(const std::string& scoreboard) {
  if (const auto other = known_server(scoreboard))
    log_warning(text("scoreboard ", scoreboard, " was that of process ", other->parent_pid,
                     ", which is stopping: broodctl now shows this server"));
}

// The owner of the directory (in /tmp, say) could replace the file, and so could everybody if all may write
// to it.
std::string fault_of_directory(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      (status.st_uid != ::geteuid() && status.st_uid != 0) ||
      (status.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH || ::access(directory.c_str(), W_OK) != 0)
    return text("runtime-directory ", directory,
                " is not a directory that this user owns and can write, and nobody else");
  return "";
}

}  // namespace

std::string scoreboard_path(const Configuration& configuration, std::string_view ending) {
  if (configuration.runtime_directory == "none") return "";
  return text(directory_of(configuration), "/", configuration.name, ending);
}

std::string prepare_runtime_directory(const Configuration& configuration) {
  const std::string directory = directory_of(configuration);
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
    return SystemError("runtime-directory " + directory, errno).what();
  return fault_of_directory(directory);
}

std::string fault_of_runtime_directory(const Configuration& configuration) {
  if (configuration.runtime_directory == "none") return "";
  const std::string directory = directory_of(configuration);
  if (::access(directory.c_str(), F_OK) == 0) return fault_of_directory(directory);
  const std::string outer = std::filesystem::path(directory).parent_path();
  if (::access(outer.c_str(), W_OK | X_OK) == 0) return "";
  return SystemError(text("runtime-directory ", directory, ": can't be made in ", outer), errno).what();
}

ScoreboardPlace prepare_scoreboards(const Configuration& configuration, bool many) {
  ScoreboardPlace place{.path = scoreboard_path(configuration), .directory = many};
  if (place.path.empty()) return place;
  const auto anonymous = [](std::string_view why) {
    log_warning(text("no scoreboard for broodctl: ", why));
    return ScoreboardPlace();
  };
  if (const std::string fault = prepare_runtime_directory(configuration); !fault.empty())
    return anonymous(fault);
  warn_of_server_that_stops(place.path);
  try {
    place.prepare();
  } catch (const SystemError& error) {
    return anonymous(error.what());
  }
  return place;
}

std::optional<RunningServer> running_server(const Configuration& configuration) {
  const std::string scoreboard = scoreboard_path(configuration);
  // It may have no scoreboard yet.
  if (const auto holder = holder_of(NameClaim::path_for(configuration)))
    return RunningServer{.pid = *holder, .stopping = false};
  if (::access(scoreboard.c_str(), F_OK) != 0 && errno == ENOENT) return {};
  const auto other = read_other_server(scoreboard);
  if (!other) return {};
  return RunningServer{.pid = other->parent_pid, .stopping = other->stopping};
}

void throw_already_runs(const Configuration& configuration, const std::string& path, pid_t other) {
  throw ConfigurationError(text("server ", configuration.name, " already runs, as process ",
                                other > 0 ? text(other) : "?", ", and uses ", path,
                                ": stop that one first, or set name or runtime-directory"));
}

void refuse_second_server(const Configuration& configuration) {
  const std::string scoreboard = scoreboard_path(configuration);
  if (scoreboard.empty()) return;
  if (const auto other = known_server(scoreboard)) {
    if (!other->stopping) throw_already_runs(configuration, scoreboard, other->parent_pid);
    return;
  }
  // Its scoreboard may have been removed.
  const std::string control = control_path(scoreboard);
  if (!is_ours(control)) return;
  if (const SocketProbe other = probe_socket(control, SOCK_STREAM); other.answered())
    throw_already_runs(configuration, control, other.process);
}

}  // namespace brood
