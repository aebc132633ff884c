// SPDX-License-Identifier: MIT
// The generated parts of the manual: from the table of settings, and from an example that is compiled. The
// target `manual` writes them into the pages; the test compares.
#pragma once

#include <string>
#include <string_view>

namespace brood::test {

std::string read_file(const std::string& path);  // throws std::runtime_error

std::string settings_as_mdoc();                         // all of the kit's
std::string source_as_mdoc(const std::string& source);  // in a literal block

// Replaces the lines of the page between '.\" Generated: ...' and '.\" End of what is generated.'. Throws
// std::runtime_error if the page does not have these two lines.
std::string with_generated(const std::string& page, const std::string& generated);

}  // namespace brood::test
