// SPDX-License-Identifier: MIT
#include "locate.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/snapshot.hpp"

namespace brood::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".scoreboard";

// The names of the servers that have a scoreboard there.
std::vector<std::string> names_in(const std::string& directory) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::permission_denied)
    throw Failure("directory " + directory + ": " + error.message(), outcome::not_permitted);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Failure("directory " + directory + ": " + error.message(), outcome::critical);
  std::vector<std::string> names;
  for (; entries != fs::directory_iterator(); entries.increment(error))
    if (entries->path().extension() == extension) names.push_back(entries->path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

// Left by a server that is gone. Of a file that may not be read nobody knows.
bool is_stale(const std::string& path) {
  try {
    return !Snapshot::read(path).parent_alive;
  } catch (const SystemError&) {
    return false;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

bool names_server(const std::string& word, const std::string& directory) {
  if (word.find('/') != std::string::npos) return true;
  std::error_code failed;
  return !word.empty() && fs::exists(directory + '/' + word + std::string(extension), failed);
}

std::string locate(const std::string& wanted, const std::string& directory) {
  if (wanted.find('/') != std::string::npos) return wanted;
  const auto path_of = [&](const std::string& name) {
    return directory + '/' + name + std::string(extension);
  };
  const std::vector<std::string> names = names_in(directory);
  if (wanted.empty() && names.size() > 1) {
    std::vector<std::string> running = names;
    std::erase_if(running, [&](const std::string& name) { return is_stale(path_of(name)); });
    if (running.size() == 1) return path_of(running.front());
  }
  if (wanted.empty() && names.size() == 1) return path_of(names.front());
  if (wanted.empty() && names.size() > 1)
    throw Failure(text("there are several scoreboards in ", directory, "; name one of: ", join(names, " ")),
                  outcome::wrong_usage);
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) return path_of(wanted);
  const std::string which = wanted.empty() ? "no scoreboard" : "no scoreboard of '" + wanted + '\'';
  const std::string others = names.empty() ? "" : text(" (there are: ", join(names, " "), ")");
  throw Failure(
      text(which, " in ", directory, others, "; the server is not running, or has another runtime-directory"),
      outcome::critical);
}

std::string directory_of(const std::string& given) {
  return given.empty() ? default_runtime_directory() : given;
}

}  // namespace brood::ctl
