// SPDX-License-Identifier: MIT
#include "child/sandbox/path_rules.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

// Newer than the headers of some systems that run newer kernels (landlock(7)).
constexpr std::uint64_t refer = 1U << 13U, truncate = 1U << 14U;
// Since this version what is refused is in the kernel's audit log, with this flag also that of a program that
// the child becomes or runs.
constexpr int version_with_audit = 7;
constexpr unsigned log_executed = 1U << 1U;

constexpr std::uint64_t reading =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t of_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate;

// -1 and errno: the kernel has none.
int version() {
  return static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

// All that this kernel knows, but for ioctl(): of that the filter of system calls decides.
std::uint64_t all_rights(int of_version) {
  std::uint64_t all = refer - 1;
  if (of_version >= 2) all |= refer;
  if (of_version >= 3) all |= truncate;
  return all;
}

void allow_below(const Descriptor& rules, const std::string& path, std::uint64_t rights) {
  const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!place || ::fstat(place.get(), &status) != 0)
    throw ConfigurationError(
        SystemError("open " + path + ", which the sandbox of a child is to have", errno).what());
  if (!S_ISDIR(status.st_mode)) rights &= of_files;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = place.get()};
  if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    throw ConfigurationError(SystemError("allow " + path + " in the sandbox of a child", errno).what());
}

}  // namespace

void tell_of_paths(const std::string& service, const SandboxSettings& settings) {
  if (!settings.has_paths()) return;
  const std::string which = text("sandbox-read = ", join(settings.read_paths, " "),
                                 ", sandbox-write = ", join(settings.write_paths, " "));
  const int of_version = version();
  const std::string why = SystemError("ask the kernel for Landlock", errno).what();
  if (settings.mode == SandboxMode::log)
    log_info(text("service ", service,
                  ": sandbox = log refuses no path and reports none; with sandbox = on its children"
                  " can open only ",
                  which));
  else if (of_version < 1)
    log_warning(text("service ", service,
                     ": sandbox-read and sandbox-write have no effect here, and children can open all that "
                     "their user may: ",
                     why));
  else
    log_info(text("service ", service, ": its children can open only ", which,
                  "; what else they try fails with EACCES, and ",
                  of_version < version_with_audit ? "no log has it"
                                                  : "is in the audit log of the kernel if that is on"));
}

void restrict_paths(const std::vector<std::string>& read, const std::vector<std::string>& write) {
  const int of_version = version();
  if (of_version < 1) return;
  const std::uint64_t all = all_rights(of_version);
  const landlock_ruleset_attr handled{.handled_access_fs = all};
  const Descriptor rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!rules) throw ConfigurationError(SystemError("make the rules of a sandbox for paths", errno).what());
  for (const auto& path : read) allow_below(rules, path, reading & all);
  for (const auto& path : write) allow_below(rules, path, all);
  if (::syscall(SYS_landlock_restrict_self, rules.get(),
                of_version < version_with_audit ? 0U : log_executed) != 0)
    throw ConfigurationError(SystemError("restrict the paths of a child", errno).what());
}

}  // namespace brood
