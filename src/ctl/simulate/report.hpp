// SPDX-License-Identifier: MIT
// Prints a simulation as a table for people, or as JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "ctl/simulate/options.hpp"
#include "ctl/simulate/simulation.hpp"

namespace brood::ctl {

struct SimulationReport {
  const SimulateOptions& options;
  const Load& load;
  const SimulationResult& simulated;
  std::vector<SimulatedStep> rows;
};
std::string print(const SimulationReport& report);
std::string as_json(const SimulationReport& report);

}  // namespace brood::ctl
