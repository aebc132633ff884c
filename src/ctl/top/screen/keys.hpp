// SPDX-License-Identifier: MIT
// What a terminal sends for the keys of a keyboard.
#pragma once

#include <string>
#include <vector>

namespace brood::ctl {

// A printable character is itself.
enum Key : int { enter = 256, escape, backspace, up, down, left, right, page_up, page_down, home, end };

// Takes the keys from the beginning of `received`, and leaves a sequence whose end has not come. `all`:
// nothing more comes, so that it was the key Escape. Unknown sequences are dropped.
std::vector<int> take_keys(std::string& received, bool all);

}  // namespace brood::ctl
