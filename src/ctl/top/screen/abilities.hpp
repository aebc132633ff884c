// SPDX-License-Identifier: MIT
// What the terminal can do, from the environment.
//
// There is no terminfo here: what is used of a terminal are the cursor, erasing and colours of ECMA-48, and
// four private modes that are ignored if they are unknown. All terminals in use since the VT100 have these.
#pragma once

#include <string>
#include <string_view>

namespace brood::ctl {

struct Abilities {
  bool screen = false;   // the cursor can be moved
  unsigned colours = 0;  // 0, 16 or 256
  bool utf8 = false;
};

struct Environment {
  std::string term, colorterm, no_color;  // TERM, COLORTERM, NO_COLOR
  std::string codeset;                    // of the locale, as nl_langinfo(CODESET) names it

  static Environment of_this_process();  // sets the locale's LC_CTYPE
};

// `color`: of the option: "auto" or "", "none", "16", "256".
Abilities abilities_of(const Environment& environment, std::string_view color);
bool is_color(std::string_view word);  // a value of the option

}  // namespace brood::ctl
