// SPDX-License-Identifier: MIT
// The last safety net of an upgrade: a new program that can't take over executes the former one, which goes
// on as it was.
//
//   1. Before it executes the new program, the running one adds a descriptor of its own image to what it
//   hands
//      over (allow_give_back()). So it can be executed even if its file was replaced.
//   2. Until it has taken over, the new program changes nothing. If something is in its way, it adds a reason
//      and executes that image with everything it was given (give_back()).
//   3. The former program finds the reason (HandedOver::refused). It takes over like any other program, but
//      with the settings that were in force before, with the limits that an operator had scaled, and without
//      a new generation. It gives nothing back in its turn.
#pragma once

#include <string_view>

#include "base/handover.hpp"
#include "upgrade/executable.hpp"

namespace brood {

inline constexpr const char* refused_kind = "refused";  // of the record with the reason, in its field "why"

// Returns the image, which has to stay open until exec(). Throws SystemError.
Descriptor allow_give_back(Handover& handover);

// Returns only if `handover` was given back already, or names no former program, or that can't be executed.
// Works on records of which nothing else is understood.
void give_back(const Executable& executable, Handover handover, std::string_view why);

}  // namespace brood
