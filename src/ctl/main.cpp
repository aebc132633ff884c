// SPDX-License-Identifier: MIT
// broodctl: shows the state of a server, and gives it orders. Here are the help and the errors; status, list
// and the orders have a file each.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "base/text/help_text.hpp"
#include "base/text/version.hpp"
#include "ctl/advise/advise.hpp"
#include "ctl/balancer/agent.hpp"
#include "ctl/convert/convert.hpp"
#include "ctl/crash/crashes.hpp"
#include "ctl/crash/stack.hpp"
#include "ctl/explain/explain.hpp"
#include "ctl/simulate/simulate.hpp"
#include "ctl/top/top.hpp"
#include "invocation.hpp"
#include "list.hpp"
#include "locate.hpp"
#include "order.hpp"
#include "scoreboard/report/words.hpp"
#include "status.hpp"

namespace {

using namespace brood::ctl;
using brood::harmless;
namespace outcome = brood::outcome;

struct Verb {
  const char* words;
  const char* help;
};
constexpr Verb verbs[] = {
    {"status [SERVICE|NAME|PATH]", "show all children, and whether the server is well"},
    {"status --ready [SERVICE|NAME|PATH]", "say whether clients should be sent to the server"},
    {"explain [SERVICE|PID]", "say why there are so many children, or why one was started or has ended"},
    {"advise [--max-clients=N] [SERVICE]", "say which limits a service needs, or what N would give"},
    {"simulate [--load=LOAD] [SERVICE]", "say how many children other settings or another load would have"},
    {"agent [SERVICE]", "tell a load balancer whether to send clients here"},
    {"crashes [SERVICE]", "show where children were ended by signals, and what they served"},
    {"stack PID|SERVICE", "show where in its code a child is, or each child that is busy"},
    {"list", "list the services, one on a line"},
    {"top [--once] [SERVICE|NAME|PATH]", "show all of this live, with the busiest children first"},
    {"reload [SERVICE]", "read the settings again and replace all children"},
    {"check", "read the settings and change nothing"},
    {"start|stop|restart SERVICE", "start, stop or restart one service"},
    {"pause|resume SERVICE", "let connections wait in the queue, or serve them again"},
    {"scale SERVICE SETTING=VALUE ...", "change limits until the next reload"},
    {"retire PID", "let this child finish its connections and leave"},
    {"signal SERVICE SIGNAL", "send a signal to each child"},
    {"reopen", "reopen the log"},
    {"upgrade", "run the program that is on disk now"},
    {"stop [--now]", "stop the server"},
    {"convert [--output=DIRECTORY] FILE ...", "write services' files from inetd.conf, master.cf and others"},
};

std::string help(std::size_t width) {
  constexpr std::size_t column = 35;
  std::string out;
  const auto say = [&](const char* prose) { brood::append_wrapped(out, prose, width, ""); };
  say("usage: broodctl [--server=NAME|PATH] [--runtime-directory=DIRECTORY] [--json] [--exit-code=KIND] VERB "
      "[ARGUMENT ...]");
  say("or: broodctl --help | --version");
  out += '\n';
  for (const auto& [words, what] : verbs) brood::append_entry(out, words, what, column, width);
  out += '\n';
  say("Without --server, the order goes to the only server in the runtime directory. NAME is the name of a "
      "server, PATH is the path of its scoreboard and has a '/'. broodctl waits until the order is carried "
      "out.");
  say("The exit code is 0 if it was. status exits with 0 for ok, 1 for warning, 2 for critical; status "
      "--ready with 0 or 1.");
  say("--exit-code=critical: status exits with 1 if it is critical, else with 0. --exit-code=state: agent "
      "exits "
      "with 1 unless the service is ready. --exit-code=weight: the same, and with 2 plus the percentage if "
      "it is.");
  say("See broodctl(8).");
  return out;
}

std::string unknown(const std::string& command) {
  std::vector<std::string> known = order_names();
  known.insert(known.end(), {"status", "list", "convert", "agent", "advise", "crashes", "explain", "simulate",
                             "stack", "top"});
  if (std::ranges::count(known, command) > 0)
    return command + " does not take these arguments; see broodctl --help";
  const std::string meant = brood::did_you_mean(command, known);
  return "unknown command '" + command + '\'' + (meant.empty() ? "; see broodctl --help" : meant);
}

void check_exit_code(const Invocation& invocation) {
  const std::string &command = invocation.command, &kind = invocation.exit_code;
  if (kind.empty() || (command == "status" && kind == "critical") ||
      (command == "agent" && (kind == "state" || kind == "weight")))
    return;
  throw Failure("--exit-code=" + kind + " is not for " + command + "; see broodctl --help",
                outcome::wrong_usage);
}

int run(const std::vector<std::string>& words) {
  const Invocation invocation = parse_invocation(words);
  if (invocation.help) {
    std::fputs(help(brood::terminal_width(STDOUT_FILENO)).c_str(), stdout);
    return 0;
  }
  if (invocation.version) {
    std::fputs(brood::version_line("broodctl").c_str(), stdout);
    return 0;
  }
  if (invocation.command.empty())
    throw Failure("the command is missing; see broodctl --help", outcome::wrong_usage);
  if (invocation.ready && (invocation.command != "status" || invocation.json))
    throw Failure("--ready is for status, and has no JSON; see broodctl --help", outcome::wrong_usage);
  if (invocation.command == "convert" && !invocation.now) return convert(invocation);
  if (invocation.force || !(invocation.from + invocation.output + invocation.command_gets).empty())
    throw Failure("--from, --output, --command-gets and --force are options of convert",
                  outcome::wrong_usage);
  check_exit_code(invocation);
  check_options(invocation);
  if (invocation.command == "agent" && invocation.arguments.size() <= 1 && !invocation.now)
    return agent(invocation);
  if (invocation.command == "crashes" && invocation.arguments.size() <= 1 && !invocation.now)
    return crashes(invocation);
  if (invocation.command == "stack" && invocation.arguments.size() == 1 && !invocation.now)
    return stack(invocation);
  if (invocation.command == "list" && invocation.arguments.empty() && !invocation.now)
    return list(invocation);
  if (invocation.command == "advise" && !invocation.now) return advise(invocation);
  if (invocation.command == "simulate" && invocation.arguments.size() <= 1 && !invocation.now)
    return simulate(invocation);
  if (invocation.command == "explain" && !invocation.now && !invocation.json) return explain(invocation);
  if (invocation.command == "top" && !invocation.now && !invocation.json) return top(invocation);
  if (invocation.command == "status" && !invocation.now) return status(invocation);
  if (const auto request = request_of(invocation)) return order(invocation, *request);
  throw Failure(unknown(invocation.command), outcome::wrong_usage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (std::fflush(stdout) == 0) return code;
    throw Failure("the output can't be written", outcome::output_failed);
  } catch (const Failure& failure) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(failure.what()).c_str());
    return failure.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(error.what()).c_str());
    return outcome::internal_error;
  }
}
