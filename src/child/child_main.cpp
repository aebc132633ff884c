// SPDX-License-Identifier: MIT
#include "child/child_main.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"

namespace brood {
namespace {

// A loop with many connections needs a descriptor for each, as many for its handlers, and some others.
void raise_descriptor_limit(unsigned connections) {
  constexpr rlim_t others = 64;
  rlimit limit{};
  const rlim_t wanted = 2 * static_cast<rlim_t>(connections) + others;
  if (connections == 1 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

bool enter(const ChildSetup& setup) {
  become(setup.identity);
  // After become(): a change of user clears it. If the parent is gone already, no signal comes.
  ::prctl(PR_SET_PDEATHSIG, child_signals::retire);
  return ::getppid() == setup.parent;
}

int child_main(const ChildSetup& setup) {
  return exit_code_of([&] {
    if (!enter(setup)) return;
    raise_descriptor_limit(setup.limits.connections);
    ChildProcess child(setup);
    call_start_hook("on_child_start", [&] { setup.server->on_child_start(); });
    child.ready();
    setup.server->serve(child);
    child_signals::forget_threads();
    child.leave();
    setup.server->on_child_exit();
  });
}

void call_start_hook(const char* name, const std::function<void()>& hook) {
  try {
    hook();
  } catch (const Error&) {
    throw;
  } catch (...) {
    throw Error(text(std::string_view(name), ": ", what_was_thrown()), ExitCode::sick);
  }
}

int exit_code_of(const std::function<void()>& body) {
  try {
    body();
    return static_cast<int>(ExitCode::left);
  } catch (const Error& error) {
    for (const auto line : split(error.what(), '\n')) log_error(line);
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    log_error(text("child ends by an exception: ", std::string_view(error.what())));
  } catch (...) {
    log_error("child ends by an exception that is no std::exception");
  }
  return static_cast<int>(ExitCode::software);
}

}  // namespace brood
