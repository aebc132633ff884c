// SPDX-License-Identifier: MIT
#include "program/slot_program.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/child_main.hpp"
#include "models/programs/child_handover.hpp"
#include "models/programs/settings_check.hpp"

namespace brood {
namespace {

ServerBase& find_server(std::span<const NamedServer> servers, const std::string& service) {
  const auto found = std::ranges::find(servers, service, &NamedServer::name);
  if (found != servers.end()) return *found->server;
  if (servers.size() == 1) return *servers.front().server;
  throw ConfigurationError(text("this program has several services, and none of them is ", service,
                                ": name the parent's service like one of them"));
}

WorkKind work_of(const ChildListener& listener) {
  if (listener.trigger) return WorkKind::triggers;
  int type = SOCK_STREAM;
  socklen_t size = sizeof type;
  if (::getsockopt(listener.descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    throw SystemError("listener " + listener.name, errno);
  return type == SOCK_DGRAM ? WorkKind::datagrams : WorkKind::connections;
}

// The parent knows neither the program's child model nor whether its handlers are thread-safe.
void check_and_limit(ChildSetup& setup) {
  const ChildModel model = setup.server->child_model();
  if (model.command)
    throw ConfigurationError("a program that runs programs can't take a child's slot: name its own command");
  for (const auto& listener : setup.listeners)
    if (const WorkKind brings = work_of(listener); !fits(model.work, brings))
      throw ConfigurationError(text("listener ", listener.name, " ", work_mismatch(brings, model.work)));
  if (setup.limits.threads > 1 && !(model.threads && setup.server->thread_safe()))
    throw ConfigurationError(text("threads-per-child = ", setup.limits.threads,
                                  ": this program's handlers can't run in threads; set it to 1, and let more "
                                  "children do it"));
  if (!model.many_connections) setup.limits.connections = setup.limits.threads;
}

}  // namespace

bool is_checked_as_child() {
  const char* const value = std::getenv(child_variable);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value != nullptr && std::string_view(value) == checked_as_child;
}

int check_as_child(std::span<const NamedServer> servers, const std::string& program,
                   std::span<const char* const> arguments) {
  ProgramSettings settings(program, servers);
  settings.take(parse_command_line(settings.table(), arguments));
  settings.apply_own();
  return static_cast<int>(ExitCode::left);
}

int run_as_child(const Handover& handover, std::span<const NamedServer> servers, const std::string& program,
                 std::span<const char* const> arguments) {
  std::optional<ReceivedChild> received;  // outlives the last message to the log
  int code = 0;
  const int failure = exit_code_of([&] {
    received.emplace(handover);
    follow_log_epoch(received->scoreboard().server().log_epoch, received->log_epoch());
    ChildSetup setup = received->setup();
    setup.server = &find_server(servers, received->service());
    ProgramSettings settings(program, servers);
    settings.take(parse_command_line(settings.table(), arguments));
    settings.apply_own();
    check_and_limit(setup);
    call_hook("on_parent_start", [&] { setup.server->on_parent_start(); });
    code = child_main(std::move(setup));
    block_all_signals();  // their handlers use what ends here
  });
  stop_following_log_epoch();
  return failure != 0 ? failure : code;
}

}  // namespace brood
