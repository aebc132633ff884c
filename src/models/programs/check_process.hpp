// SPDX-License-Identifier: MIT
// The process of a check of settings.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"
#include "models/programs/settings_check.hpp"

namespace brood {

class CheckProcess {
 public:
  explicit CheckProcess(const SettingsCheck& check);  // throws SystemError
  CheckProcess(const CheckProcess&) = delete;
  CheckProcess& operator=(const CheckProcess&) = delete;
  ~CheckProcess() { kill(); }

  // What poll() waits for. What it writes must be read, or it may wait for that.
  int ended() const { return ended_.get(); }
  int errors() const { return errors_.get(); }  // -1: nothing comes any more
  void read_errors();

  // It has ended: what is wrong; "": nothing.
  std::string outcome();
  // With all that it has started. It is reaped by outcome(), or here if it has ended until then: not even
  // SIGKILL ends a process that waits for a disk.
  void kill(Time until = Time::min());
  const std::string& program() const { return program_; }

 private:
  bool reap(std::string& how);  // false: it has not ended

  const std::string program_;
  Descriptor errors_, ended_;
  std::string written_;
  pid_t pid_ = 0;
};

}  // namespace brood
