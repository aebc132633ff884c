// SPDX-License-Identifier: MIT
// The parts of the manual that are printed by the program: from the table of settings, and from an example
// that is compiled. `make manual` writes them into the pages, the test compares.
#pragma once

#include <string>
#include <string_view>

namespace brood::test {

std::string read_file(const std::string& path);  // throws std::runtime_error

std::string settings_as_mdoc();                         // all of the kit's
std::string source_as_mdoc(const std::string& source);  // in a literal block

// The page with what stands between the line '.\" Generated: …' and the line '.\" End …' replaced. Throws
// std::runtime_error where the page lacks them.
std::string with_generated(const std::string& page, const std::string& generated);

}  // namespace brood::test
