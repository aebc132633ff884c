// SPDX-License-Identifier: MIT
// The directory that says which services there are: a file for each, and what all share in defaults/. Knows
// nothing of what stands in the files.
#pragma once

#include <string>
#include <vector>

namespace brood {

struct ServicePath {
  std::string service;  // as the file is called, whether or not a service can be called that
  std::string path;
};

class ConfigDirectory {
 public:
  explicit ConfigDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  // By name. Throws ConfigurationError where the directory can't be read, or says nothing.
  std::vector<ServicePath> services() const;
  // By name; none where there is no such directory.
  std::vector<std::string> defaults() const;

 private:
  std::string path_;
};

// A command that begins with "./" or "../" is relative to the directory of the file in which it stands, and
// not to wherever brood was started: made absolute. Others are left as they are.
std::string resolve_command(const std::string& command, const std::string& file);

}  // namespace brood
