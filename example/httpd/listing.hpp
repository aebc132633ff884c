// SPDX-License-Identifier: MIT
// The page for a folder without an index.html: a list of its files.
#pragma once

#include <brood/descriptor.hpp>
#include <string>
#include <string_view>

namespace httpd {

// More files than this are not listed. The list is sorted.
inline constexpr std::size_t most_listed = 10'000;

// Returns HTML. Hidden files are left out, and all that is neither file nor folder. `path` is for the
// heading.
std::string listing(brood::Descriptor folder, std::string_view path);

}  // namespace httpd
