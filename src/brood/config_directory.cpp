// SPDX-License-Identifier: MIT
#include "config_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

namespace fs = std::filesystem;

// Without hidden files and backups of editors.
std::vector<fs::path> look_for_files(const fs::path& directory, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    if (path.extension() == ".conf" && path.filename().native().front() != '.' &&
        !fs::is_directory(path, ignored))
      files.push_back(path);
  }
  std::ranges::sort(files);
  return files;
}

// An error's number, and the names of the files.
std::vector<fs::path> files_in(const fs::path& directory, std::error_code& error) {
  const std::string found = look_up("directory", directory.native(), [&] {
    std::error_code failed;
    std::string names;
    for (const auto& file : look_for_files(directory, failed)) names += '\0' + file.native();
    return text(failed.value(), names);
  });
  const auto parts = split(found, '\0');
  error.assign(parse_number<int>(parts.front()).value_or(EIO), std::generic_category());
  std::vector<fs::path> files(parts.begin() + 1, parts.end());
  return files;
}

std::string canonical_directory_of(const std::string& file) {
  return look_up("path", file, [&] {
    std::error_code error;
    return fs::weakly_canonical(fs::absolute(fs::path(file).parent_path(), error), error).string();
  });
}

}  // namespace

std::vector<ServicePath> ConfigDirectory::services() const {
  std::error_code error;
  std::vector<ServicePath> services;
  for (const auto& file : files_in(path_, error)) services.push_back({file.stem(), file});
  if (error) throw ConfigurationError(text("config-directory ", path_, ": ", error.message()));
  if (services.empty())
    throw ConfigurationError(text("config-directory ", path_, " has no file NAME.conf: there is no service"));
  return services;
}

std::vector<std::string> ConfigDirectory::defaults() const {
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& file : files_in(fs::path(path_) / "defaults", error)) files.push_back(file);
  if (error && error != std::errc::no_such_file_or_directory)
    throw ConfigurationError(text("config-directory ", path_, "/defaults: ", error.message()));
  return files;
}

std::string resolve_command(const std::string& command, const std::string& file) {
  if (!command.starts_with("./") && !command.starts_with("../")) return command;
  const auto end = std::min(command.find_first_of(" \t"), command.size());
  const fs::path directory = canonical_directory_of(file);
  std::string program = (directory / command.substr(0, end)).lexically_normal();
  if (program.find_first_of(" \t\"\\'") != std::string::npos) {
    std::string quoted;
    for (const char c : program) quoted += (c == '"' || c == '\\' ? std::string("\\") : "") + c;
    program = '"' + quoted + '"';
  }
  return program + command.substr(end);
}

}  // namespace brood
