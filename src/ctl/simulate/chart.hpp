// SPDX-License-Identifier: MIT
// Draws a simulation as an SVG image: children and busy children over time, and below them the connections
// that wait. Pure.
#pragma once

#include <string>
#include <vector>

#include "ctl/simulate/simulation.hpp"

namespace brood::ctl {

std::string chart(const std::vector<SimulatedStep>& steps, unsigned max_clients, const std::string& title);

}  // namespace brood::ctl
