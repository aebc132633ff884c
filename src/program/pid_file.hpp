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
  // The one that this process locked before exec(). The lock is held all the time, as no descriptor of the
  // file was closed.
  void take_over(std::string path, Descriptor file);
  const std::string& path() const { return path_; }
  int descriptor() const { return file_.get(); }
  ~PidFile();                       // removes it
  void forget() { file_.reset(); }  // in a child

 private:
  std::string path_;
  Descriptor file_;
};

}  // namespace brood
