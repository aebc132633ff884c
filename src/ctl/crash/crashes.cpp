// SPDX-License-Identifier: MIT
#include "ctl/crash/crashes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/crash/crash_journal.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/locate.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

using Json = nlohmann::ordered_json;

std::string local_time(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char written[32];
  if (::localtime_r(&time, &parts) == nullptr ||
      std::strftime(written, sizeof written, "%Y-%m-%d %H:%M:%S", &parts) == 0)
    return "?";
  return written;
}

std::string served(const Crash& crash) {
  if (crash.peer.empty()) return " without a connection";
  return text(" while serving ", harmless(crash.peer), " for ", crash.busy_for,
              crash.open_connections > 1 ? text(" and ", crash.open_connections - 1, " others") : "");
}

std::string print(std::span<const CrashGroup> groups) {
  std::string out;
  for (const auto& [number, first, last] : groups) {
    if (!out.empty()) out += '\n';
    out += text(number, " x ", name_of_signal(last.signal),
                last.top.empty() ? "" : " in " + harmless(last.top), ", service ", harmless(last.service),
                last.note.empty() ? "" : ", note '" + harmless(last.note) + '\'', '\n');
    if (number > 1) out += text("  first ", local_time(first), '\n');
    out += text("  last ", local_time(last.time), ": child ", last.pid, served(last), '\n');
    for (const auto& line : describe(last)) out += text("  ", harmless(line), '\n');
  }
  return out;
}

Json to_json(const CrashGroup& group) {
  const Crash& last = group.last;
  Json frames = Json::array();
  for (const auto& frame : last.frames) frames.push_back(harmless(frame));
  return {{"number", group.number},
          {"service", harmless(last.service)},
          {"signal", name_of_signal(last.signal)},
          {"note", harmless(last.note)},
          {"top", harmless(last.top)},
          {"first", group.first},
          {"last", last.time},
          {"pid", last.pid},
          {"thread", last.evidence.thread},
          {"peer", harmless(last.peer)},
          {"busy_seconds", std::chrono::duration<double>(last.busy_for).count()},
          {"open_connections", last.open_connections},
          {"finished", last.finished},
          {"memory_bytes", last.memory},
          {"processor_seconds", std::chrono::duration<double>(last.processor).count()},
          {"exception", harmless(last.exception)},
          {"frames", frames}};
}

// Of a server that is gone only the journal is left.
std::string scoreboard_of(const Invocation& invocation) {
  const std::string directory = directory_of(invocation.runtime_directory);
  if (!invocation.server.empty() && !names_server(invocation.server, directory))
    return directory + '/' + invocation.server + ".scoreboard";
  return locate(invocation.server, directory);
}

std::vector<Crash> read_journal(const std::string& path) {
  try {
    return read_crash_journal(path);
  } catch (const SystemError& error) {
    const bool permitted = error.error_number() != EACCES && error.error_number() != EPERM;
    throw Failure(error.what(), permitted ? outcome::critical : outcome::not_permitted);
  }
}

bool are_alike(const Crash& one, const Crash& other) {
  return one.service == other.service && one.signal == other.signal && one.note == other.note &&
         one.top == other.top;
}

}  // namespace

std::vector<CrashGroup> group_crashes(std::span<const Crash> crashes) {
  std::vector<CrashGroup> groups;
  for (const Crash& crash : crashes) {
    auto group =
        std::ranges::find_if(groups, [&](const CrashGroup& each) { return are_alike(each.last, crash); });
    if (group == groups.end()) group = groups.insert(group, CrashGroup{.first = crash.time});
    ++group->number;
    group->last = crash;
    std::rotate(group, group + 1, groups.end());  // the newest is the last
  }
  std::ranges::reverse(groups);
  return groups;
}

int crashes(const Invocation& invocation) {
  std::vector<Crash> all = read_journal(crash_journal_of(scoreboard_of(invocation)));
  if (!invocation.arguments.empty())
    std::erase_if(all, [&](const Crash& crash) { return crash.service != invocation.arguments.front(); });
  const std::vector<CrashGroup> groups = group_crashes(all);
  if (!invocation.json) {
    std::fputs(groups.empty() ? "no child was ended by a signal\n" : print(groups).c_str(), stdout);
    return outcome::done;
  }
  Json json = Json::array();
  for (const CrashGroup& group : groups) json.push_back(to_json(group));
  std::puts(json.dump(2).c_str());
  return outcome::done;
}

}  // namespace brood::ctl
