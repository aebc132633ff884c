// SPDX-License-Identifier: MIT
#include "ctl/advise/workload.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "ctl/top/model.hpp"

namespace brood::ctl {

double variability_of(const LatencyHistogram& latency) {
  // Between a and 2a, evenly on the logarithm: the mean is a / ln 2, that of the squares 3 a^2 / (2 ln 2).
  double all = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < latency.size(); ++i) {
    const auto count = static_cast<double>(latency[i]);
    const double low = i == 0 ? 0.5 : std::ldexp(1.0, static_cast<int>(i) - 1);
    all += count;
    sum += count * low / std::numbers::ln2;
    squares += count * 1.5 * low * low / std::numbers::ln2;
  }
  if (all == 0) return 1;
  const double mean = sum / all;
  return std::max(squares / all / (mean * mean) - 1, 0.0);
}

double dispersion_of(const std::vector<double>& counts, bool& independent) {
  independent = true;
  if (counts.size() < 10) return 1;
  const auto number = static_cast<double>(counts.size());
  const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / number;
  if (mean <= 0) return 1;
  double squares = 0;
  for (const double count : counts) squares += (count - mean) * (count - mean);
  const double dispersion = squares / (number - 1) / mean;
  independent = std::abs(dispersion - 1) <= 2.5 * std::sqrt(2 / (number - 1));
  return independent ? 1 : dispersion;
}

Workload workload_of(const std::vector<LookAtService>& looks) {
  Workload work;
  const LookAtService &first = looks.front(), &last = looks.back();
  const Seconds elapsed = last.at - first.at;
  const Rates rates = rates_between(first.total, last.total, elapsed);
  work.seconds = elapsed.count();
  work.accepted = rates.added.accepted;
  work.finished = rates.added.finished;
  work.thin = work.finished < fewest_connections || work.accepted < fewest_connections;
  work.queue.arrivals = rates.accepted;
  if (work.finished > 0)
    work.queue.service = Seconds(rates.added.duration).count() / static_cast<double>(work.finished);
  work.queue.service_variability = variability_of(rates.added.latency);
  std::vector<double> counts;
  for (std::size_t i = 1; i < looks.size(); ++i)
    counts.push_back(
        static_cast<double>(rates_between(looks[i - 1].total, looks[i].total, elapsed).added.accepted));
  work.queue.arrival_variability = dispersion_of(counts, work.independent);
  for (const auto& look : looks) {
    work.open += look.open / static_cast<double>(looks.size());
    if (look.all_taken) work.all_taken += 1 / static_cast<double>(looks.size());
  }
  return work;
}

}  // namespace brood::ctl
