// SPDX-License-Identifier: MIT
// broodctl agent: tells a load balancer in a line how much of its traffic a service wants, in the words of
// HAProxy's agent-check. Reads the scoreboard, so it answers whatever the children do.
#pragma once

#include <string>
#include <string_view>

#include "brood/snapshot.hpp"
#include "ctl/invocation.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood::ctl {

struct AgentAnswer {
  Readiness readiness;
  unsigned percent = 100;  // of its capacity that is free, if it is ready; from 1 on: 0 would mean drain

  std::string line() const;  // with its newline
};

// `service`: "" for the only one.
AgentAnswer answer_of_agent(const Snapshot& snapshot, std::string_view service);

int agent(const Invocation& invocation);  // the exit code; throws Failure

}  // namespace brood::ctl
