// SPDX-License-Identifier: MIT
// A program for the kernel's filter of system calls (seccomp(2)), made by libseccomp of groups and names of
// calls. What it does not allow waits for the parent's answer (SECCOMP_RET_USER_NOTIF), which is not part of
// it: the same filter forbids, or only reports.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

// Instructions of a classic BPF program.
using CallFilter = std::vector<sock_filter>;

// Whether this program was built with libseccomp.
bool can_filter_calls();

// What a child has to do with its program, whatever else is allowed.
enum class ProgramCalls : std::uint8_t { none, executes_it, starts_it };

// Throws ConfigurationError, "names …", if the word is neither a group nor a call that libseccomp knows.
void check_call_word(const std::string& word);
// `allowed`: such words. The same filter if there is one already. Throws ConfigurationError if none can be
// made.
std::shared_ptr<const CallFilter> make_call_filter(std::vector<std::string> allowed, ProgramCalls program);

// The name of a call by its number; "": it has none that libseccomp knows. `architecture`: AUDIT_ARCH_….
std::string call_name(std::uint32_t architecture, int number);

}  // namespace brood
