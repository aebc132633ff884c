// SPDX-License-Identifier: MIT
// The parent's pid in a file that is locked as long as the parent lives, so that a second start finds out.
#pragma once

#include <string>

#include "brood/descriptor.hpp"

namespace brood {

class PidFile {
 public:
  // Creates or takes over the file, locks it and writes this process's pid. An empty path: no file. Throws
  // ConfigurationError where another process holds it, and says which; SystemError where it can't be written.
  explicit PidFile(std::string path);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();                       // removes it
  void forget() { file_.reset(); }  // in a child

 private:
  std::string path_;
  Descriptor file_;
};

}  // namespace brood
