// SPDX-License-Identifier: MIT
#include "sentences.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

std::string word(const WireRecord& record, std::string_view name) { return harmless(record[name]); }

std::uint64_t number(const WireRecord& record, std::string_view name) {
  return record.number<std::uint64_t>(name);
}

bool counts_connections(const WireRecord& service) { return service.find("connections") != nullptr; }

std::string traffic(const WireRecord& service) {
  if (!counts_connections(service)) {
    const std::uint64_t lost = number(service, "lost");
    return (lost > 0 ? grouped(lost) + " lost in the queue; " : "") + "its connections are not reported";
  }
  const std::uint64_t connections = number(service, "connections");
  return grouped(connections) + (connections == 1 ? " connection, " : " connections, ") +
         grouped(number(service, "lost")) + " lost";
}

std::string time_taken(const WireRecord& record) {
  return text(std::chrono::milliseconds(record.number<std::int64_t>("milliseconds")));
}

std::string of_service(const std::string& order, const WireRecord& service) {
  const std::string took = " in " + time_taken(service);
  const std::string generation = "generation " + grouped(number(service, "generation"));
  const std::string gone = grouped(number(service, "gone")) + " of " +
                           count_of(number(service, "before"), "child") +
                           (order == "reload" ? " replaced" : " left");
  const std::string state = word(service, "state");
  const std::string name = word(service, "name") + ": ";
  if (order == "reload" && number(service, "generation") > 1)
    return name + (state == "running" ? "" : state + ", ") + generation + ", " + gone + took + ", " +
           traffic(service);
  if (order == "stop" || order == "pause") return name + state + ", " + gone + took + ", " + traffic(service);
  return name + state + ", " + count_of(number(service, "children"), "child") + took + ", " + generation;
}

// One of those that a reload need not say anything about, but that it was done.
bool is_quiet(const std::string& order, const WireRecord& record) {
  if (order != "reload" || record.kind() != "service") return false;
  const std::string* const changed = record.find("changed");
  return changed != nullptr && changed->empty() && record["state"] == "running" &&
         number(record, "generation") > 1 && number(record, "gone") == number(record, "before") &&
         number(record, "lost") == 0;
}

// In one line, as most services of a directory have not changed.
std::string of_quiet(std::span<const WireRecord> services) {
  std::uint64_t children = 0, connections = 0, silent = 0;
  std::int64_t longest = 0;
  for (const WireRecord& service : services) {
    children += number(service, "before");
    if (counts_connections(service))
      connections += number(service, "connections");
    else
      ++silent;
    longest = std::max(longest, service.number<std::int64_t>("milliseconds"));
  }
  return text(count_of(services.size(), "service"), " without a change: ", grouped(children), " of ",
              count_of(children, "child"), " replaced in ", std::chrono::milliseconds(longest), ", ",
              grouped(connections), connections == 1 ? " connection" : " connections", ", 0 lost",
              silent == 0 ? "" : text("; those of ", count_of(silent, "service"), " are not reported"));
}

std::string line(const std::string& order, const WireRecord& record) {
  if (record.kind() == "service") return of_service(order, record);
  if (record.kind() == "setting")
    return word(record, "name") + " = " + word(record, "to") + ", it was " + word(record, "from");
  if (record.kind() == "child")
    return "child " + word(record, "pid") + " of " + word(record, "service") + " has left after " +
           time_taken(record);
  if (record.kind() == "signal")
    return word(record, "name") + " sent to " + count_of(number(record, "children"), "child") + " of " +
           word(record, "service");
  if (record.kind() == "gone") return word(record, "service") + ": ended; it is no service any more";
  if (record.kind() == "upgrade") return "upgraded: " + word(record, "message");
  if (record.kind() == "mistake" || record.kind() == "waits") return word(record, "text");
  return harmless(record.line());  // the server is newer than this program
}

std::string success(const std::string& order) {
  if (order == "check") return "settings: no mistakes found\n";
  if (order == "reopen") return "the log was reopened\n";
  if (order == "stop") return "stopped\n";
  if (order == "upgrade") return "upgraded\n";
  return "";
}

}  // namespace

std::string sentences(const std::string& order, std::span<const WireRecord> answer) {
  std::string all;
  std::vector<WireRecord> said, quiet;
  for (const WireRecord& record : answer.first(answer.size() - 1))
    (is_quiet(order, record) ? quiet : said).push_back(record);
  if (quiet.size() == 1) said.push_back(std::exchange(quiet, {}).front());
  for (const WireRecord& record : said) all += line(order, record) + '\n';
  if (!quiet.empty()) all += of_quiet(quiet) + '\n';
  const WireRecord& done = answer.back();
  if (done.number<int>("code") != outcome::done) return all + "broodctl: " + word(done, "message") + '\n';
  if (order == "scale") return all + "until the next reload\n";
  return all.empty() ? success(order) : all;
}

}  // namespace brood::ctl
