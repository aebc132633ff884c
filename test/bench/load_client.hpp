// SPDX-License-Identifier: MIT
// The load client (src/load), for the bench.
#pragma once

#include "load/load.hpp"
#include "load/load_target.hpp"

namespace brood::bench {

using namespace load;

}  // namespace brood::bench
