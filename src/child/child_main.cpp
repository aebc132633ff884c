// SPDX-License-Identifier: MIT
#include "child/child_main.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log/log_target.hpp"
#include "base/process/process_title.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"
#include "child/client_messages.hpp"
#include "child/crash/throw_place.hpp"
#include "child/privileges.hpp"
#include "child/sandbox/sandbox.hpp"

namespace brood {
namespace {

// A loop with many connections needs a descriptor for each, as many for its handlers, and some others.
void raise_descriptor_limit(unsigned connections) {
  constexpr rlim_t others = 64;
  rlimit limit{};
  const rlim_t wanted = 2 * static_cast<rlim_t>(connections) + others;
  if (connections == 1 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log_warning(SystemError(text("raise the limit of descriptors to ", limit.rlim_cur), errno).what());
}

// As the parent's user.
std::unique_ptr<AccessLog> open_access_log(const ChildSetup& setup) {
  if (setup.access_log.path.empty()) return nullptr;
  const Scoreboard& scoreboard = *setup.scoreboard;
  return std::make_unique<AccessLog>(setup.access_log, setup.identity.user, scoreboard.server().log_epoch,
                                     scoreboard.service().name.data());
}

}  // namespace

bool enter(const ChildSetup& setup, int signal_when_orphaned) {
  if (setup.takes_identity) call_hook("on_child_privileged", [&] { setup.server->on_child_privileged(); });
  leave_environment(setup.process);
  set_variables_of(setup.identity);
  put_in_force(setup.process);
  drop_privileges(setup.identity, setup.no_new_privileges);
  allow_core_dump(setup.process);
  if (setup.parent == no_parent) return true;
  // After drop_privileges(): a change of user clears it. If the parent is gone already, no signal comes.
  ::prctl(PR_SET_PDEATHSIG, signal_when_orphaned);  // can't fail with a valid signal
  if (::getppid() != setup.parent) return false;
  if (setup.sandbox != nullptr) enter_sandbox(*setup.sandbox, Descriptor(setup.sandbox_channel));
  return true;
}

void write_errors_to(int output) {
  if (output < 0 || logs_to_standard_error()) return;
  if (::dup2(output, STDERR_FILENO) < 0) throw SystemError("change standard error", errno);
}

int child_main(ChildSetup setup) {
  const int exit_code = exit_code_of([&] {
    write_errors_to(setup.output);
    Descriptor(setup.output).reset();  // from here on it is standard error alone
    MemoryLimit memory(setup.scoreboard->service().max_memory_per_child.load(relaxed));
    std::unique_ptr<AccessLog> access_log = open_access_log(setup);
    if (!enter(setup, child_signals::orphaned)) return;
    if (setup.process.titles) process_title::begin(setup.scoreboard->service().name.data(), "starting");
    raise_descriptor_limit(setup.limits.connections);
    ServerBase& server = *setup.server;
    ChildProcess child(std::move(setup), std::move(memory), std::move(access_log));
    call_hook("on_child_start", [&] { server.on_child_start(); });
    child.ready();
    server.serve(child);
    child_signals::forget_threads();
    child.leave();
    call_hook(
        "on_child_exit", [&] { server.on_child_exit(); }, ExitCode::software);
  });
  end_client_messages();
  return exit_code;
}

void call_hook(std::string_view name, const std::function<void()>& hook, ExitCode code) {
  try {
    note_throw_place(hook);
  } catch (const Error& error) {
    throw Error(text(name, ": ", std::string_view(error.what())), error.code());
  } catch (...) {
    const std::string where = where_thrown();
    // Before there is a child, it is an answer to whoever starts the server.
    throw Error(text(name, ": ", what_was_thrown(), child_signals::of_child() ? where : ""), code);
  }
}

int exit_code_of(const std::function<void()>& body) {
  try {
    note_throw_place(body);
    return static_cast<int>(ExitCode::left);
  } catch (const Error& error) {
    for (const auto line : split(error.what(), '\n')) log_error(line);
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    log_error(text("child ends by an exception: ", std::string_view(error.what()), where_thrown()));
  } catch (...) {
    log_error(text("child ends by an exception that is no std::exception", where_thrown()));
  }
  return static_cast<int>(ExitCode::software);
}

}  // namespace brood
