// SPDX-License-Identifier: MIT
// Users and groups, by name or number. The parent looks them up, and children become them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace brood {

inline constexpr uid_t no_user = static_cast<uid_t>(-1);
inline constexpr gid_t no_group = static_cast<gid_t>(-1);

struct Identity {
  std::string name;  // for messages
  uid_t user = no_user;
  gid_t group = no_group;
  std::vector<gid_t> groups;  // all groups of the user, if it has an account
};

// An empty name leaves that part unset. A user without a group gets the group of its account. Throws
// ConfigurationError.
Identity find_identity(const std::string& user, const std::string& group);

// Changes the groups first: after the user was changed, the process may not change them. Throws SystemError.
void become(const Identity& identity);

}  // namespace brood
