// SPDX-License-Identifier: MIT
// The journal of a server: the file NAME.crashes in its runtime directory, a line for each child that a
// signal has ended. It outlives reloads, upgrades and the server. Short-lived processes append to it, and any
// process that may read the file reads it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/crash/crash.hpp"
#include "brood/descriptor.hpp"

namespace brood {

// "": there is none, because the scoreboard has no file.
std::string crash_journal_of(const std::string& scoreboard);

// For append_to_journal(), also after the process has become another user. A journal that is full (128 KiB)
// becomes NAME.crashes.old first. `readers`: the group whose members may read it. Throws SystemError.
Descriptor open_crash_journal(const std::string& path, std::optional<gid_t> readers);
void append_to_journal(const Descriptor& journal, const Crash& crash);  // throws SystemError

// The oldest first; what is no line of a journal is left out. No file: none. Throws SystemError.
std::vector<Crash> read_crash_journal(const std::string& path);

}  // namespace brood
