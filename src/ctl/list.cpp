// SPDX-License-Identifier: MIT
#include "list.hpp"

#include <cstdint>
#include <cstdio>

#include "base/text.hpp"
#include "locate.hpp"
#include "scoreboard/report/json.hpp"
#include "scoreboard/report/verdict.hpp"
#include "scoreboard/report/words.hpp"
#include "status.hpp"
#include "table.hpp"

namespace brood::ctl {
namespace {

// The worst thing that is wrong with it.
std::string trouble_of(const ServiceSnapshot& service, const Verdict& verdict) {
  const Problem* worst = nullptr;
  for (const Problem& problem : verdict.problems)
    if (problem.service == harmless(service.name) && (worst == nullptr || problem.level > worst->level))
      worst = &problem;
  return worst == nullptr ? "" : text(name_of(worst->level), ": ", worst->text);
}

std::string print(const Snapshot& snapshot) {
  const Verdict verdict = judge(snapshot);
  Table table({{"SERVICE"},
               {"STATE"},
               {"CHILDREN", Align::right},
               {"BUSY", Align::right},
               {"SPARE", Align::right},
               {"GEN", Align::right},
               {"LIMITS"},
               {"LISTENS ON"},
               {"TROUBLE"}});
  for (const auto& service : snapshot.services)
    table.row({harmless(service.name), std::string(name_of(service.state)),
               text(service.children(), '/', service.max_clients),
               service.counts_connections ? text(service.busy) : "-", text(service.spare),
               text(service.generation), service.scaled ? "scaled" : "", harmless(service.listeners),
               trouble_of(service, verdict)});
  return table.print(SIZE_MAX);
}

}  // namespace

int list(const Invocation& invocation) {
  const Snapshot snapshot =
      read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory)));
  std::fputs((invocation.json ? list_as_json(snapshot) : print(snapshot)).c_str(), stdout);
  if (snapshot.parent_alive) return 0;
  throw Failure(text("parent ", snapshot.parent_pid, " is gone; this is the last state of its services"),
                outcome::critical);
}

}  // namespace brood::ctl
