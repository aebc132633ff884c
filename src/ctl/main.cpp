// SPDX-License-Identifier: MIT
// broodctl: what an administrator asks a server, and tells it. The command line, and the errors; each
// verb has a file of its own.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "invocation.hpp"
#include "list.hpp"
#include "locate.hpp"
#include "order.hpp"
#include "status.hpp"
#include "words.hpp"

namespace {

using namespace brood::ctl;

constexpr const char* usage =
    "usage: broodctl [--server=NAME|PATH] [--runtime-directory=DIRECTORY] [--json] VERB [ARGUMENT ...]\n"
    "\n"
    "  status [NAME|PATH]               shows the scoreboard, and whether the server is well\n"
    "  list                             the services, a line each\n"
    "  reload [SERVICE]                 reads the settings again and replaces all children\n"
    "  check                            reads the settings and changes nothing\n"
    "  start|stop|restart SERVICE       the others go on\n"
    "  pause|resume SERVICE             what comes waits in the queue meanwhile\n"
    "  scale SERVICE SETTING=VALUE ...  other limits, until the next reload\n"
    "  retire PID                       this child leaves when it is done\n"
    "  signal SERVICE SIGNAL            to each child\n"
    "  reopen                           opens the log anew\n"
    "  upgrade                          to the program that is on disk now\n"
    "  stop [--now]                     the whole server\n"
    "\n"
    "The server is the only one here, NAME, or the one whose scoreboard is PATH (it has a '/'). An order is\n"
    "answered when its outcome is known. Exit code: 0 done. Of status: 0 fine; 1 warning; 2 critical.\n"
    "See broodctl(8).\n";

std::string unknown(const std::string& verb) {
  std::vector<std::string> known = order_verbs();
  known.insert(known.end(), {"status", "list"});
  if (std::ranges::count(known, verb) > 0) return verb + " doesn't take that; broodctl --help tells";
  const std::string meant = brood::did_you_mean(verb, known);
  return "unknown verb '" + verb + '\'' + (meant.empty() ? "; broodctl --help tells" : meant);
}

int run(const std::vector<std::string>& words) {
  const Invocation invocation = parse_invocation(words);
  if (invocation.help) {
    std::fputs(usage, stdout);
    return 0;
  }
  if (invocation.verb.empty()) throw Failure("what is to be done? broodctl --help tells", wrong_usage);
  if (invocation.verb == "list" && invocation.arguments.empty() && !invocation.now) return list(invocation);
  if (invocation.verb == "status" && !invocation.now) return status(invocation);
  if (const auto request = request_of(invocation)) return order(invocation, *request);
  throw Failure(unknown(invocation.verb), wrong_usage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (std::fflush(stdout) == 0) return code;
    throw Failure("the output can't be written", 74);  // EX_IOERR
  } catch (const Failure& failure) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(failure.what()).c_str());
    return failure.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(error.what()).c_str());
    return 70;  // EX_SOFTWARE
  }
}
