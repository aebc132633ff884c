// SPDX-License-Identifier: MIT
// Prints a snapshot as metrics: in Prometheus' text format 0.0.4, or in OpenMetrics 1.0
// (https://prometheus.io/docs/instrumenting/exposition_formats/). brood_status(5) lists them. No label is a
// pid or a slot: the number of series depends on the services alone.
#pragma once

#include <string>
#include <string_view>

#include "brood/snapshot.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood {

enum class MetricsFormat { prometheus, open_metrics };

// By the field Accept of a request.
MetricsFormat metrics_format(std::string_view accept);
std::string_view content_type(MetricsFormat format);

std::string to_metrics(const Snapshot& snapshot, const Verdict& verdict, MetricsFormat format);

}  // namespace brood
