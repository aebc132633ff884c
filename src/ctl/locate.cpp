// SPDX-License-Identifier: MIT
#include "locate.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.hpp"
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

}  // namespace

std::string locate(const std::string& wanted, const std::string& directory) {
  if (wanted.find('/') != std::string::npos) return wanted;
  const auto path_of = [&](const std::string& name) {
    return directory + '/' + name + std::string(extension);
  };
  const std::vector<std::string> names = names_in(directory);
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
