// SPDX-License-Identifier: MIT
#include "locate.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <vector>

#include "brood/snapshot.hpp"
#include "words.hpp"

namespace brood::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".scoreboard";

// The names of the servers whose scoreboards are there.
std::vector<std::string> names_in(const std::string& directory) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::permission_denied)
    throw Failure("directory " + directory + ": " + error.message(), not_permitted);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Failure("directory " + directory + ": " + error.message(), no_scoreboard);
  std::vector<std::string> names;
  for (; entries != fs::directory_iterator(); entries.increment(error))
    if (entries->path().extension() == extension) names.push_back(entries->path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

std::string join(const std::vector<std::string>& names) {
  return std::accumulate(
      names.begin(), names.end(), std::string(),
      [](std::string sum, const std::string& name) { return std::move(sum) + ' ' + name; });
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
    throw Failure("several scoreboards are in " + directory + ", say which:" + join(names), wrong_usage);
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) return path_of(wanted);
  const std::string which = wanted.empty() ? "no scoreboard" : "no scoreboard of '" + wanted + '\'';
  throw Failure(which + " in " + directory + (names.empty() ? "" : "; there are those of:" + join(names)) +
                    "; the server doesn't run, or has another runtime-directory",
                no_scoreboard);
}

std::string directory_of(const std::string& given) {
  return given.empty() ? default_runtime_directory() : given;
}

}  // namespace brood::ctl
