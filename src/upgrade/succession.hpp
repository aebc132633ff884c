// SPDX-License-Identifier: MIT
// Whether this program can take the place of the one that left something to it: what a rehearsal finds out,
// and what is looked at once more before it is done. Changes nothing.
#pragma once

#include <vector>

#include "scoreboard/scoreboard.hpp"
#include "settings/service_source.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

// The scoreboard that was left. Throws ConfigurationError where its layout is another version's, Error or
// SystemError where it is none.
Scoreboard open_scoreboard(const HandedOver& left);

// Throws Error with what is in the way. A service that the running server doesn't have is none of it, where
// services come and go: it comes with a reload.
void check_succession(const HandedOver& left, const std::vector<WantedService>& wanted, bool may_be_new);
// In a rehearsal: whether there is room for the descriptors that taking over needs. Too late it would stop
// the former program, too. Throws SystemError.
void check_room(const HandedOver& left);

}  // namespace brood
