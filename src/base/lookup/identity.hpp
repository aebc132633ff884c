// SPDX-License-Identifier: MIT
// Users and groups, by name or number. The parent looks them up, and children become them
// (child/privileges.hpp).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace brood {

class Lookups;

inline constexpr uid_t no_user = static_cast<uid_t>(-1);
inline constexpr gid_t no_group = static_cast<gid_t>(-1);

struct Identity {
  std::string name;  // for messages
  uid_t user = no_user;
  gid_t group = no_group;
  // If the user has an account:
  std::vector<gid_t> groups;  // all of them
  std::string home, shell;
};

// An empty name leaves that part unset. A user without a group gets the group of its account. Throws
// ConfigurationError.
Identity find_identity(const std::string& user, const std::string& group);
// Adds what it would return.
void add_identity(Lookups& to, const std::string& user, const std::string& group, const Identity& identity);

// Whether this process may send signals to processes of that user.
bool may_signal(const Identity& identity);

// HOME, USER, LOGNAME and SHELL of a user with an account.
void set_variables_of(const Identity& identity);

// Whether a child with this identity is root.
bool stays_root(const Identity& identity);

}  // namespace brood
