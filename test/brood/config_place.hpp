// SPDX-License-Identifier: MIT
// A directory of services' files, as `brood` reads one.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace brood::test {

struct Place {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("brood-place-" + std::to_string(::getpid()));
  Place() { std::filesystem::create_directories(path / "defaults"); }
  ~Place() { std::filesystem::remove_all(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // If it is a program, it can be executed.
  void write(const std::string& name, const std::string& content = "\n") const {
    std::ofstream(path / name) << content;
    std::filesystem::permissions(path / name, std::filesystem::perms::owner_all);
  }
};

}  // namespace brood::test
