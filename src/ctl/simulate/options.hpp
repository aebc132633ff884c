// SPDX-License-Identifier: MIT
// The options of simulate: the settings of the service, read and checked as at a start, and what else the
// simulation goes by.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ctl/simulate/simulation.hpp"
#include "settings/settings_reader.hpp"

namespace brood::ctl {

struct SimulateOptions {
  Scenario scenario;
  std::string load, arrivals, svg;  // as written; "": not given
  std::optional<double> service_time;
  double variability = 1, step = 0;  // step: seconds; 0: as fits
  std::uint64_t memory_per_child = 0;
  unsigned seed = 1;
  std::vector<std::string> passed_over;  // why settings of the file have no effect
};

// `given`: by name, with "--". `in_force`: of the service whose load it is; a value that is given wins.
// Throws ConfigurationError.
SimulateOptions read_options(const std::map<std::string, std::string>& given, const GivenSettings& in_force);

}  // namespace brood::ctl
