// SPDX-License-Identifier: MIT
// Prose for a terminal, in lines of its width.
#pragma once

#include <string>
#include <string_view>

namespace brood {

// Of the terminal that is this descriptor: what COLUMNS says, or the terminal itself; 80 if it is none. At
// least 40.
std::size_t terminal_width(int descriptor);

// Appends lines of at most `width` bytes, unless a word is longer. Each begins with `prefix`.
void append_wrapped(std::string& out, std::string_view prose, std::size_t width, std::string_view prefix);
// Appends the name of something, and what it is: from `column` on, if the terminal has room for that.
void append_entry(std::string& out, std::string_view name, std::string_view prose, std::size_t column,
                  std::size_t width);

}  // namespace brood
