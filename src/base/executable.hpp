// SPDX-License-Identifier: MIT
// The program of this process as it was started: what it takes to run it once more, or whatever stands in its
// place by now. Knows nothing of what is handed over.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

class Executable {
 public:
  Executable() = default;
  // At the start of main(). The path is the one by which this program was executed, links not followed: who
  // replaces a link means it.
  Executable(int argc, const char* const* argv);

  const std::string& path() const { return path_; }
  // Executed through a descriptor, this program knows path and name from the one before it.
  void continue_as(std::string path);

  // What runs now, also where its file was replaced or removed. Throws SystemError.
  static Descriptor running();

  // Makes this process run the program at the path, or (`image`) the one behind a descriptor, with the
  // arguments of the start and `more`, `variable` added to the environment; `kept` stay open. Returns only by
  // throwing SystemError; then `kept` are closed by exec() again.
  [[noreturn]] void become(std::span<const std::string> more, const std::string& variable,
                           std::span<const int> kept, int image = -1) const;

 private:
  std::string path_;
  std::vector<std::string> arguments_;
};

}  // namespace brood
