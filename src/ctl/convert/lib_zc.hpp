// SPDX-License-Identifier: MIT
// The files of LIB-ZC's master: NAME.cf with `key = value` for each service.
#pragma once

#include <string>
#include <string_view>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

// `gets`: the value of command-gets. `directory`: relative paths are below it.
void convert_lib_zc(std::string_view content, const std::string& file, const std::string& gets,
                    const std::string& directory, const Machine& machine, Conversion& into);

}  // namespace brood::ctl
