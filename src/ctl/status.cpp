// SPDX-License-Identifier: MIT
#include "status.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "locate.hpp"
#include "report.hpp"
#include "scoreboard/report/json.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

// The lines of the table are cut at the edge of a terminal, but not in a file or a pipe.
std::size_t width_of_output() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return SIZE_MAX;
  return size.ws_col;
}

bool has_service(const Snapshot& snapshot, const std::string& name) {
  return std::ranges::any_of(snapshot.services, [&](const auto& service) { return service.name == name; });
}

}  // namespace

Snapshot only(Snapshot snapshot, const std::string& service) {
  if (!has_service(snapshot, service)) {
    std::vector<std::string> known;
    for (const auto& each : snapshot.services) known.push_back(each.name);
    throw Failure(text("server ", harmless(snapshot.name), " has no service '", harmless(service), "'",
                       did_you_mean(service, known)),
                  outcome::wrong_usage);
  }
  std::erase_if(snapshot.services, [&](const auto& each) { return each.name != service; });
  return snapshot;
}

Snapshot read_scoreboard(const std::string& path) {
  try {
    Snapshot snapshot = Snapshot::read(path);
    read_waiting(snapshot);
    return snapshot;
  } catch (const SystemError& error) {
    const bool permitted = error.error_number() != EACCES && error.error_number() != EPERM;
    throw Failure(error.what(), permitted ? outcome::critical : outcome::not_permitted);
  } catch (const Error& error) {
    throw Failure(error.what(), outcome::critical);
  }
}

int status(const Invocation& invocation) {
  const auto& given = invocation.arguments;
  const std::string word = given.empty() ? "" : given[0];
  if (given.size() > 1 || (!given.empty() && word.empty()))
    throw Failure("status takes one SERVICE, or one NAME or PATH of a server", outcome::wrong_usage);
  const std::string directory = directory_of(invocation.runtime_directory);
  // A server of that name comes before a service. If there is neither, the server is missed.
  const bool is_server = invocation.server.empty() && names_server(word, directory);
  const std::string path = locate(is_server ? word : invocation.server, directory);
  Snapshot snapshot = read_scoreboard(path);
  if (!is_server && !word.empty()) {
    if (invocation.server.empty() && !has_service(snapshot, word)) locate(word, directory);
    snapshot = only(std::move(snapshot), word);
  }
  if (invocation.ready) {
    const Readiness readiness = readiness_of(snapshot);
    std::puts(readiness.is_ready() ? "ready" : ("not ready: " + readiness.why).c_str());
    return readiness.is_ready() ? outcome::done : outcome::warning;
  }
  read_processes(snapshot);
  const Verdict verdict = judge(snapshot);
  std::fputs(
      (invocation.json ? to_json(snapshot, verdict, path) : report(snapshot, verdict, width_of_output()))
          .c_str(),
      stdout);
  if (invocation.exit_code.empty()) return static_cast<int>(verdict.level);
  return verdict.level == Level::critical ? 1 : outcome::done;
}

}  // namespace brood::ctl
