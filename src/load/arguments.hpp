// SPDX-License-Identifier: MIT
// The command line of brood-load.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "load/load.hpp"

namespace brood::load {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  LoadPlan plan;
  bool show = false;      // print what comes back
  bool progress = false;  // also where that is no terminal
  bool help = false;
  bool version = false;
};

Arguments parse_arguments(const std::vector<std::string>& words);  // throws UsageError
std::string help(std::size_t width);

// Replaces \r, \n, \t, \\ and \xNN by what they stand for. Throws UsageError for any other backslash.
std::string unescaped(const std::string& text);

}  // namespace brood::load
