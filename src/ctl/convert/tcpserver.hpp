// SPDX-License-Identifier: MIT
// A script that runs tcpserver, as `run` of daemontools.
#pragma once

#include <string>
#include <string_view>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

void convert_tcpserver(std::string_view content, const std::string& file, const Machine& machine,
                       Conversion& into);

}  // namespace brood::ctl
