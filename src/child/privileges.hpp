// SPDX-License-Identifier: MIT
// A child gives up what it does not need of its parent's rights. In a fresh child, before user code runs.
#pragma once

#include "base/lookup/identity.hpp"

namespace brood {

// Becomes the user and group, and checks that the kernel has done it. A child that is not root then has no
// capability in any set. `no_new_privileges`: neither it nor what it executes can get any again, by
// set-user-ID files or by file capabilities (prctl(2), PR_SET_NO_NEW_PRIVS); the bounding set is emptied if
// the parent may do that. A child that stays root keeps what it has. Throws SystemError or Error.
void drop_privileges(const Identity& identity, bool no_new_privileges);

}  // namespace brood
