// SPDX-License-Identifier: MIT
// Sends messages to the local syslog daemon, and never waits for it. syslog(3) waits as long as the daemon
// does not read.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <string>
#include <string_view>

#include "brood/descriptor.hpp"

namespace brood {

// What precedes a message, as glibc writes it: "<28>Nov  3 04:05:06 echo[17]: ".
std::string syslog_header(int priority, const std::tm& local, std::string_view name, pid_t pid);

class SyslogSocket {
 public:
  // Connects, if the daemon is there: a child may not reach its path any more.
  explicit SyslogSocket(std::string path);

  // False: the daemon did not take it. If the daemon is gone, the next message finds the one that came after
  // it.
  bool send(std::string_view message);

 private:
  bool connect();
  bool try_send(std::string_view message);

  std::string path_;
  Descriptor socket_;
  bool stream_ = false;  // a message ends with '\0' then
};

}  // namespace brood
