// SPDX-License-Identifier: MIT
// All that a server needs, but coroutines (brood/async_server.hpp, which brings Boost.Asio) and the
// scoreboard of another program (brood/snapshot.hpp).
#pragma once

#include "brood/cxx20.hpp"

#include "brood/command_server.hpp"
#include "brood/counters.hpp"
#include "brood/datagram_server.hpp"
#include "brood/error.hpp"
#include "brood/event_server.hpp"
#include "brood/lambda.hpp"
#include "brood/log.hpp"
#include "brood/program.hpp"
#include "brood/server.hpp"
#include "brood/settings.hpp"
#include "brood/this_child.hpp"
#include "brood/trigger_server.hpp"
