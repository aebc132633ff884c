// SPDX-License-Identifier: MIT
// Another command of this program, run in a process of its own: what it waits for stops nobody.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood::ctl {

class OwnCommand {
 public:
  // Without the program's name. Throws SystemError.
  explicit OwnCommand(std::vector<std::string> words);
  // One that still runs goes on.
  ~OwnCommand() = default;
  OwnCommand(OwnCommand&&) = default;
  OwnCommand& operator=(OwnCommand&&) = default;

  int output() const { return output_.get(); }  // readable if there is more, or it has ended
  bool read();                                  // true: it has ended
  // The lines of both outputs, without the name of the program before a message.
  std::vector<std::string> lines() const;

 private:
  Descriptor output_;
  pid_t pid_ = -1;
  std::string received_;
};

}  // namespace brood::ctl
