// SPDX-License-Identifier: MIT
// A page about a folder that has none of its own.
#pragma once

#include <brood/descriptor.hpp>
#include <string>
#include <string_view>

namespace httpd {

// The first so many, by no order of theirs; they are sorted then.
inline constexpr std::size_t most_listed = 10'000;

// HTML. Hidden files are left out, and what is neither file nor folder. `path` is for people to read.
std::string listing(brood::Descriptor folder, std::string_view path);

}  // namespace httpd
