// SPDX-License-Identifier: MIT
// What the status listener answers to a path, from a snapshot. brood_status(5) describes it. Pure, but for
// the nonce of the page.
#pragma once

#include <string>

#include "brood/snapshot.hpp"
#include "program/status/http_server.hpp"

namespace brood {

// `scoreboard`: its path, as broodctl shows it.
HttpAnswer answer_to(const HttpRequest& request, const Snapshot& snapshot, const std::string& scoreboard);

}  // namespace brood
