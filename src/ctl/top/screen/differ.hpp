// SPDX-License-Identifier: MIT
// What to send to a terminal so that it shows another screen: only what has changed.
#pragma once

#include <string>

#include "ctl/top/screen/cells.hpp"

namespace brood::ctl {

// Of a terminal that shows `shown`, with the cursor anywhere and without attributes; it is left so. If the
// sizes differ, all is cleared and drawn. `colours`: 0, 16 or 256. The text is UTF-8.
std::string difference(const Canvas& shown, const Canvas& wanted, unsigned colours);

// The rows as lines, without empty ones at the end, for an output without a cursor.
std::string lines(const Canvas& canvas, unsigned colours);

}  // namespace brood::ctl
