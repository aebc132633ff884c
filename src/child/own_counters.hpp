// SPDX-License-Identifier: MIT
// A server's own counters and gauges: from the server to the scoreboard.
#pragma once

#include <cstdint>

#include "brood/counters.hpp"

namespace brood {

class Scoreboard;
class ServerBase;

Counters counters_of(ServerBase& server);
// In the parent: gives them places on the service's scoreboard.
void publish_counters(ServerBase& server, const Scoreboard& scoreboard);
// In the child that has this slot: they count in its row from now on. One that the parent doesn't know counts
// for this process alone: the child is a program of its own.
void bind(const Counters& counters, const Scoreboard& scoreboard, std::uint32_t slot);
// They count for this process alone.
void unbind(const Counters& counters);

}  // namespace brood
