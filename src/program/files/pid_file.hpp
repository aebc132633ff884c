// SPDX-License-Identifier: MIT
// The file with the parent's pid. It is locked as long as the parent lives, so that a second start is
// refused.
#pragma once

#include <string>

#include "brood/descriptor.hpp"

namespace brood {

class PidFile {
 public:
  // Creates the file, or opens an old one, locks it and writes this process's pid. An empty path: no file.
  // Throws ConfigurationError if another process holds it, and names it, or if it is not a file of this user;
  // SystemError if it can't be written.
  explicit PidFile(std::string path);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  // The file that this process locked before exec(). The lock was never released: a process loses it only
  // when it closes a descriptor of the file.
  void take_over(std::string path, Descriptor file);
  // Makes the file again if it was removed or replaced. If that fails, it is logged.
  void look_at_path();
  const std::string& path() const { return path_; }
  int descriptor() const { return file_.get(); }
  ~PidFile();                       // removes the file, unless another one has replaced it
  void forget() { file_.reset(); }  // in a child

 private:
  static Descriptor open(const std::string& path);

  std::string path_;
  Descriptor file_;
};

}  // namespace brood
