// SPDX-License-Identifier: MIT
// What broodctl top knows of a server: the last snapshot, what has changed since the one before, and figures
// over time.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "brood/snapshot.hpp"
#include "ctl/top/processes.hpp"
#include "ctl/top/series.hpp"

namespace brood::ctl {

using Seconds = std::chrono::duration<double>;

// What was added to figures, and how much of it a second.
struct Rates {
  FiguresSnapshot added;
  double accepted = 0, finished = 0, read_bytes = 0, written_bytes = 0;
};
// All zero if no time has passed. A figure that went back counts as no change.
Rates rates_between(const FiguresSnapshot& before, const FiguresSnapshot& now, Seconds elapsed);

struct ServiceModel {
  Rates rates;
  Series connections, busy;         // accepted a second; children that are busy
  std::vector<double> child_rates;  // connections a second, by slot
};

struct Model {
  Snapshot snapshot;
  std::chrono::steady_clock::time_point at;
  std::chrono::milliseconds step{1000};  // between looks: that of the series
  std::vector<ServiceModel> services;    // in the order of the snapshot
  ServiceModel all;                      // of all services together
  std::map<pid_t, ProcessFigures> processes;
  std::string level;                  // of the verdict
  std::vector<std::string> problems;  // sentences
  std::string trouble;                // why there is no newer snapshot; "": there is
};

// The model after another look. What another parent has counted is not compared.
Model after(const Model& before, Snapshot snapshot, std::chrono::steady_clock::time_point at);

// How long the child is in its state.
std::chrono::nanoseconds time_in_state(const SlotSnapshot& slot);
// The services together: the sums of the counts and limits.
ServiceSnapshot sum_of(const Snapshot& snapshot);

}  // namespace brood::ctl
