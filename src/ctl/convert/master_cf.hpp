// SPDX-License-Identifier: MIT
// Postfix's master.cf. Postfix's own daemons speak a protocol of their own with their master, so only what
// spawn(8) runs can be started as it is.
#pragma once

#include <string>
#include <string_view>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

// `main`: the content of main.cf; "": there is none.
void convert_master_cf(std::string_view content, const std::string& file, std::string_view main,
                       const Machine& machine, Conversion& into);

}  // namespace brood::ctl
