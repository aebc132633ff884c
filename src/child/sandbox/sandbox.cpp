// SPDX-License-Identifier: MIT
#include "child/sandbox/sandbox.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/sandbox/sandbox_channel.hpp"
#include "brood/error.hpp"
#include "child/sandbox/path_rules.hpp"

namespace brood {
namespace {

// seccomp(2). Linux 5.19 can keep signals from cutting a wait short that has been noticed.
Descriptor filter_calls(const CallFilter& filter) {
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                     .filter = const_cast<sock_filter*>(filter.data())};
  constexpr unsigned long all_threads = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  constexpr unsigned long with_listener = SECCOMP_FILTER_FLAG_NEW_LISTENER | all_threads;
  for (const unsigned long flags : {with_listener | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, with_listener}) {
    Descriptor listener(static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)));
    if (listener || errno != EINVAL) return listener;
  }
  return {};
}

}  // namespace

void enter_sandbox(const SandboxSettings& settings, const Descriptor& channel) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw ConfigurationError(SystemError("forbid new privileges", errno).what());
  if (settings.restricts_paths()) restrict_paths(settings.read_paths, settings.write_paths);
  const Descriptor listener = filter_calls(*settings.filter);
  if (!listener) {
    const int error_number = errno;
    const char* const advice = error_number == EBUSY
                                   ? "; another program, as a container's, has a filter with a listener: "
                                     "set sandbox = off here"
                                   : "";
    throw ConfigurationError(SystemError("filter the system calls of a child", error_number).what() +
                             std::string(advice));
  }
  send_listener(channel, listener, settings.mode == SandboxMode::on);
}

}  // namespace brood
