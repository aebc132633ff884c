// SPDX-License-Identifier: MIT
// For tests of the setting sandbox: whether this kernel and this build have it.
#pragma once

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

inline bool skipped_without_sandbox() {
  const bool kernel =
      read_file("/proc/sys/kernel/seccomp/actions_avail").find("user_notif") != std::string::npos;
  if (!kernel) MESSAGE("skipped: the kernel has no filters of system calls that tell another process");
  if (!kernel) return true;
  ServerProcess checked({"--sandbox=on", "--test-config"}, {.wait_ready = false});
  const bool built = checked.wait_exit() == exited(0);
  if (!built) MESSAGE("skipped: the test servers are built without libseccomp");
  return !built;
}

inline bool skipped_without_path_rules() {
  const bool has = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) >= 1;
  if (!has) MESSAGE("skipped: the kernel has no Landlock");
  return !has;
}

// The settings of a service with a sandbox. What looks for leaks needs more than the program itself.
inline std::vector<std::string> sandboxed(std::vector<std::string> more = {}) {
  more.emplace_back("--sandbox=on");
#ifdef __SANITIZE_ADDRESS__
  more.emplace_back("--sandbox-allow=@debug @processes");
#endif
  return more;
}

inline constexpr const char* forbidden = "Operation not permitted";

}  // namespace brood::test
