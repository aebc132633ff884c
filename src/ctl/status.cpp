// SPDX-License-Identifier: MIT
#include "status.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "brood/error.hpp"
#include "json.hpp"
#include "locate.hpp"
#include "report.hpp"

namespace brood::ctl {
namespace {

// The lines of the table are cut at the edge of a terminal, but not in a file or a pipe.
std::size_t width_of_output() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return SIZE_MAX;
  return size.ws_col;
}

}  // namespace

Snapshot read_scoreboard(const std::string& path) {
  try {
    return Snapshot::read(path);
  } catch (const SystemError& error) {
    const bool permitted = error.error_number() != EACCES && error.error_number() != EPERM;
    throw Failure(error.what(), permitted ? outcome::critical : outcome::not_permitted);
  } catch (const Error& error) {
    throw Failure(error.what(), outcome::critical);
  }
}

int status(const Invocation& invocation) {
  // NAME or PATH may also follow the command.
  const auto& given = invocation.arguments;
  const bool named = !invocation.server.empty();
  if (given.size() > 1 || (!given.empty() && (named || given[0].empty())))
    throw Failure("status takes one NAME or PATH", outcome::wrong_usage);
  const std::string path =
      locate(given.empty() ? invocation.server : given[0], directory_of(invocation.runtime_directory));
  const Snapshot snapshot = read_scoreboard(path);
  const Verdict verdict = judge(snapshot);
  std::fputs(
      (invocation.json ? to_json(snapshot, verdict, path) : report(snapshot, verdict, width_of_output()))
          .c_str(),
      stdout);
  return static_cast<int>(verdict.level);
}

}  // namespace brood::ctl
