// SPDX-License-Identifier: MIT
#include "scoreboard/report/figures_line.hpp"

#include <numeric>

#include "base/text.hpp"
#include "scoreboard/report/quantile.hpp"
#include "scoreboard/report/words.hpp"

namespace brood {
namespace {

constexpr double share = 0.95;

std::uint64_t more(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

template <std::size_t size>
std::array<std::uint64_t, size> more(std::array<std::uint64_t, size> now,
                                     const std::array<std::uint64_t, size>& before) {
  for (std::size_t i = 0; i < size; ++i) now[i] = more(now[i], before[i]);
  return now;
}

std::string duration_within(const LatencyHistogram& connections) {
  FiguresSnapshot figures;
  figures.latency = connections;
  const auto time = figures.latency_at(share);
  return time.count() == 0 ? "-" : upper_end(time);
}

// A wait is known in the steps of its histogram. The last one has no upper end.
std::string wait_within(const WaitHistogram& connections) {
  const auto step = step_at(share, connections);
  if (!step) return "-";
  const auto end_of = [](std::size_t of) {
    return std::chrono::milliseconds(std::uint64_t{wait_resolution} << of);
  };
  return *step + 1 < wait_buckets ? text("under ", end_of(*step)) : text("over ", end_of(*step - 1));
}

}  // namespace

std::string figures_line(const ServiceSnapshot& before, const ServiceSnapshot& now,
                         std::chrono::nanoseconds time) {
  const FiguresSnapshot &from = before.total, &to = now.total;
  const auto refused = [](const ServiceSnapshot& service) {
    return std::accumulate(service.refused.begin(), service.refused.end(), service.total.refused_proxy);
  };
  // A program that does not report its connections has no figures of them.
  const std::string working =
      now.counts_connections ? text(now.busy, " busy, ", now.idle, " idle, ") : text(now.idle, " running, ");
  const std::string connections =
      !now.counts_connections
          ? std::string()
          : text(": ", more(to.accepted, from.accepted), " accepted, ",
                 more(to.finished + to.aborted, from.finished + from.aborted), " ended, ",
                 more(to.failed, from.failed), " failed, ", more(to.timed_out, from.timed_out),
                 " timed out, ", more(to.aborted, from.aborted), " aborted, ",
                 more(refused(now), refused(before)), " refused; 95% waited ",
                 wait_within(more(now.waits, before.waits)), ", 95% took ",
                 duration_within(more(to.latency, from.latency)));
  return text("service ", harmless(now.name), ": figures: ", working, now.starting, " starting, ",
              now.leaving, " leaving; ", now.waiting, " waiting (most ", now.most_waiting, "); in ", time,
              connections, "; children: ", more(now.children_started, before.children_started), " started, ",
              more(now.children_gone, before.children_gone), " ended, ",
              more(now.children_failed, before.children_failed), " failed");
}

}  // namespace brood
