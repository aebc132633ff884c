// SPDX-License-Identifier: MIT
// inetd.conf, as inetd of OpenBSD (Debian's openbsd-inetd) and of GNU inetutils read it.
#pragma once

#include <string>
#include <string_view>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

void convert_inetd(std::string_view content, const std::string& file, const Machine& machine,
                   Conversion& into);

}  // namespace brood::ctl
