// SPDX-License-Identifier: MIT
#include "child/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

std::vector<gid_t> sorted(std::vector<gid_t> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

std::vector<gid_t> groups_of_process() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int number = ::getgroups(static_cast<int>(groups.size()), groups.data());
  if (number < 0) throw SystemError("ask for the groups", errno);
  groups.resize(static_cast<std::size_t>(number));
  return groups;
}

// The groups first: after the user was changed, the process may not change them.
void become(const Identity& identity) {
  if (identity.group != no_group) {
    if (::setgroups(identity.groups.size(), identity.groups.data()) != 0)
      throw SystemError("set the groups of user " + identity.name, errno);
    if (::setresgid(identity.group, identity.group, identity.group) != 0)
      throw SystemError("become the group of user " + identity.name, errno);
  }
  if (identity.user != no_user && ::setresuid(identity.user, identity.user, identity.user) != 0)
    throw SystemError("become user " + identity.name, errno);
}

// A container or a security module may answer these calls, and do something else.
void verify(const Identity& identity) {
  struct {
    uid_t real, effective, saved;
  } user{};
  struct {
    gid_t real, effective, saved;
  } group{};
  if (::getresuid(&user.real, &user.effective, &user.saved) != 0 ||
      ::getresgid(&group.real, &group.effective, &group.saved) != 0)
    throw SystemError("ask for the user and group", errno);
  const auto is_all = [](const auto& ids, auto wanted) {
    return ids.real == wanted && ids.effective == wanted && ids.saved == wanted;
  };
  const bool right_user = identity.user == no_user || is_all(user, identity.user);
  const bool right_group =
      identity.group == no_group ||
      (is_all(group, identity.group) && sorted(groups_of_process()) == sorted(identity.groups));
  if (!right_user || !right_group)
    throw Error(text("the process has not become user ", identity.name, " with its groups"));
}

// Not an error: only a process with CAP_SETPCAP may do it.
void empty_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

// The ambient set empties with the permitted one.
void drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) throw SystemError("drop the capabilities", errno);
}

}  // namespace

void drop_privileges(const Identity& identity, bool no_new_privileges) {
  const bool root = stays_root(identity);
  if (!root && no_new_privileges) empty_bounding_set();
  become(identity);
  verify(identity);
  if (root) return;
  drop_capabilities();
  if (no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw SystemError("forbid new privileges", errno);
}

}  // namespace brood
