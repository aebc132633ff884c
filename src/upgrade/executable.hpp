// SPDX-License-Identifier: MIT
// The program of this process as it was started: path and arguments, to execute it again or what has replaced
// its file. Knows nothing of what is handed over.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

class Executable {
 public:
  Executable() = default;
  // At the start of main(). The path is the one by which this program was executed. Links are not followed,
  // so that an administrator can replace a link.
  Executable(int argc, const char* const* argv);

  const std::string& path() const { return path_; }
  // A program that was executed through a descriptor learns its path, and so its name, from the former one.
  void continue_as(std::string path);

  // The image of the running program, even if its file was replaced or removed. Throws SystemError.
  static Descriptor running();

  // Executes the program at the path, or the one behind the descriptor `image`, with the arguments of the
  // start and `more`, and with `variable` added to the environment. The descriptors `kept` stay open. Throws
  // SystemError if it fails; then the next exec() closes `kept` again.
  [[noreturn]] void become(std::span<const std::string> more, const std::string& variable,
                           std::span<const int> kept, int image = -1) const;

 private:
  std::string path_;
  std::vector<std::string> arguments_;
};

}  // namespace brood
