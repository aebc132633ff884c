// SPDX-License-Identifier: MIT
// Variables in the environment of this process, for one test.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace brood::test {

class EnvironmentVariables {
 public:
  EnvironmentVariables(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) {
      names_.emplace_back(name);
      ::setenv(name, value, 1);
    }
  }
  ~EnvironmentVariables() {
    for (const auto& name : names_) ::unsetenv(name.c_str());
  }
  EnvironmentVariables(const EnvironmentVariables&) = delete;
  EnvironmentVariables& operator=(const EnvironmentVariables&) = delete;

 private:
  std::vector<std::string> names_;
};

}  // namespace brood::test
