// SPDX-License-Identifier: MIT
// The file page.html, which cmake/embed.cmake writes into the program.
#pragma once

#include <string_view>

namespace brood {

extern const std::string_view page_source;

}  // namespace brood
