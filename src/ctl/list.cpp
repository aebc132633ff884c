// SPDX-License-Identifier: MIT
#include "list.hpp"

#include <cstdint>
#include <cstdio>

#include "json.hpp"
#include "locate.hpp"
#include "status.hpp"
#include "table.hpp"
#include "words.hpp"

namespace brood::ctl {
namespace {

std::string print(const Snapshot& snapshot) {
  Table table;
  table.column("SERVICE", Align::left);
  table.column("STATE", Align::left);
  table.column("CHILDREN", Align::right);
  table.column("BUSY", Align::right);
  table.column("SPARE", Align::right);
  table.column("GEN", Align::right);
  table.column("LIMITS", Align::left);
  table.column("LISTENS ON", Align::left);
  for (const auto& service : snapshot.services)
    table.row({harmless(service.name), std::string(name_of(service.state)),
               std::to_string(service.children()) + '/' + std::to_string(service.max_clients),
               std::to_string(service.busy), std::to_string(service.spare),
               std::to_string(service.generation), service.scaled ? "scaled" : "",
               harmless(service.listeners)});
  return table.print(SIZE_MAX);
}

}  // namespace

int list(const Invocation& invocation) {
  const Snapshot snapshot =
      read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory)));
  std::fputs((invocation.json ? list_as_json(snapshot) : print(snapshot)).c_str(), stdout);
  if (snapshot.parent_alive) return 0;
  throw Failure("parent " + std::to_string(snapshot.parent_pid) + " is gone: this is its last moment",
                no_scoreboard);
}

}  // namespace brood::ctl
