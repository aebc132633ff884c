// SPDX-License-Identifier: MIT
// Draws the model as the view wants it. No input or output.
#pragma once

#include "ctl/top/screen/cells.hpp"
#include "ctl/top/view.hpp"

namespace brood::ctl {

// A screen, or, without keys and prompts, a frame for an output without a cursor.
struct Target {
  Size size;
  bool utf8 = false;
  bool keys = true;
};

Canvas draw(const Model& model, const View& view, const Target& target);
// How many rows of children or services, or of a page, there is room for.
std::size_t room_for_rows(const Model& model, const View& view, const Target& target);

char letter_of(const SlotSnapshot& slot);  // as on the scoreboard of Apache
Style style_of(char letter);

}  // namespace brood::ctl
