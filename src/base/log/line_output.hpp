// SPDX-License-Identifier: MIT
// Writes lines to a descriptor, and never waits for whoever reads them. A file on disk is the exception: a
// write to it waits for the disk.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>

#include "base/file_identity.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class LineOutput {
 public:
  // Not owned. Its flags stay as they are: they belong to all processes that share the descriptor.
  explicit LineOutput(int descriptor);

  // How many bytes were taken. If not all, errno says why.
  std::size_t write(std::string_view line) const;

  // Whether the descriptor refers to something else than before, for example after dup2().
  bool outdated() const;

 private:
  enum class Kind { file, socket, stream };
  ssize_t try_write(std::string_view data) const;

  int descriptor_;
  FileIdentity file_;
  Kind kind_ = Kind::file;
  // The pipe or terminal, opened once more with O_NONBLOCK: a description of our own.
  Descriptor own_;
};

}  // namespace brood
