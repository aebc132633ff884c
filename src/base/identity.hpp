// SPDX-License-Identifier: MIT
// Users and groups: by name or number, looked up in the parent, taken on for good in the child.
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
  std::vector<gid_t> groups;  // all of them, where the user has an account
};

// Empty names leave the part as it is; a user without a group has that of its account. Throws
// ConfigurationError.
Identity find_identity(const std::string& user, const std::string& group);

// Groups first, then the user: the other way round there is no right left to change groups. Throws
// SystemError.
void become(const Identity& identity);

}  // namespace brood
