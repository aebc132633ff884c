// SPDX-License-Identifier: MIT
#include "ctl/crash/stack.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/crash/process_stack.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

using Json = nlohmann::ordered_json;

struct Child {
  std::string service;
  SlotSnapshot row;
};

// A child by its pid, or the busy children of a service, the longest busy first.
std::vector<Child> find_children(const Snapshot& snapshot, const std::string& word) {
  const auto pid = parse_number<pid_t>(word);
  std::vector<Child> found;
  bool is_service = false;
  for (const auto& service : snapshot.services) {
    const bool is_it = !pid && service.name == word;
    is_service = is_service || is_it;
    for (const auto& row : service.slots)
      if (row.pid != 0 && (is_it ? row.open_connections > 0 : row.pid == pid))
        found.push_back({service.name, row});
  }
  if (found.empty() && !is_service)
    throw Failure(
        text("server ", harmless(snapshot.name), " has no ", pid ? "child " : "service ", harmless(word)),
        outcome::wrong_usage);
  std::ranges::stable_sort(found,
                           [](const Child& a, const Child& b) { return a.row.busy_for > b.row.busy_for; });
  return found;
}

std::vector<ThreadStack> stacks_of(const Child& child) {
  try {
    return stacks_of_process(child.row.pid);
  } catch (const Error& error) {
    throw Failure(
        text(std::string_view(error.what()), "; broodctl stack needs to be root, or the user of the child"),
        outcome::not_permitted);
  }
}

std::string print(const Child& child, const std::vector<ThreadStack>& stacks) {
  const SlotSnapshot& row = child.row;
  std::string out = text("child ", row.pid, ", service ", harmless(child.service));
  if (row.open_connections > 0)
    out += text(": ", harmless(row.peer), row.note.empty() ? "" : " '" + harmless(row.note) + '\'', " for ",
                row.busy_for,
                row.open_connections > 1 ? text(" and ", row.open_connections - 1, " others") : "");
  out += '\n';
  for (const ThreadStack& stack : stacks) {
    if (stacks.size() > 1) out += text("  thread ", stack.thread, '\n');
    for (const auto& frame : stack.frames) out += text("  ", harmless(frame), '\n');
  }
  return out;
}

Json to_json(const Child& child, const std::vector<ThreadStack>& stacks) {
  Json threads = Json::array();
  for (const ThreadStack& stack : stacks) {
    Json frames = Json::array();
    for (const auto& frame : stack.frames) frames.push_back(harmless(frame));
    threads.push_back({{"thread", stack.thread}, {"frames", frames}});
  }
  return {{"pid", child.row.pid},
          {"service", harmless(child.service)},
          {"open_connections", child.row.open_connections},
          {"peer", harmless(child.row.peer)},
          {"note", harmless(child.row.note)},
          {"busy_for_seconds", std::chrono::duration<double>(child.row.busy_for).count()},
          {"threads", threads}};
}

}  // namespace

int stack(const Invocation& invocation) {
  ::unsetenv("DEBUGINFOD_URLS");  // NOLINT(concurrency-mt-unsafe): nothing is asked of a network
  const Snapshot snapshot =
      read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory)));
  Json json = Json::array();
  std::string out;
  for (const Child& child : find_children(snapshot, invocation.arguments.front())) {
    const std::vector<ThreadStack> stacks = stacks_of(child);
    out += print(child, stacks);
    json.push_back(to_json(child, stacks));
  }
  if (out.empty()) out = "no child is busy\n";
  std::fputs(invocation.json ? (json.dump(2) + '\n').c_str() : out.c_str(), stdout);
  return outcome::done;
}

}  // namespace brood::ctl
