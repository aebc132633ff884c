// SPDX-License-Identifier: MIT
// The directory of the services: one file NAME.conf for each, and shared settings in defaults/. It does not
// read the files.
#pragma once

#include <string>
#include <vector>

namespace brood {

struct ServicePath {
  std::string service;  // the name of the file; it may not be a valid name of a service
  std::string path;
};

class ConfigDirectory {
 public:
  explicit ConfigDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  // Sorted by name. Throws ConfigurationError if the directory cannot be read or has no service.
  std::vector<ServicePath> services() const;
  // Sorted by name. Empty if there is no directory defaults/.
  std::vector<std::string> defaults() const;

 private:
  std::string path_;
};

// Makes a command that begins with "./" or "../" absolute: it is relative to the directory of the file that
// it is written in. Returns other commands unchanged.
std::string resolve_command(const std::string& command, const std::string& file);

}  // namespace brood
