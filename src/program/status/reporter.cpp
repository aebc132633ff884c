// SPDX-License-Identifier: MIT
#include "program/status/reporter.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <utility>

#include "base/lookup/identity.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_main.hpp"
#include "child/privileges.hpp"
#include "program/status/answers.hpp"
#include "program/status/http_server.hpp"
#include "scoreboard/scoreboard_reader.hpp"

namespace brood {
namespace {

// Instead of root: the user of nobody, whose number is the same everywhere. The parent looks up no names.
constexpr uid_t nobody = 65534;

Identity identity_of_reporter() {
  if (::geteuid() != 0) return {};
  return {.name = "65534", .user = nobody, .group = nobody};
}

// Where /proc shows a user only its own processes, the snapshot misses the parent. If it had ended, this
// process would have another one.
void correct_parent(Snapshot& snapshot) {
  if (!snapshot.parent_alive && ::getppid() == snapshot.parent_pid) snapshot.parent_alive = true;
}

HttpAnswer answer(const HttpRequest& request, const ScoreboardReader& scoreboards, const std::string& path) {
  try {
    Snapshot snapshot = scoreboards.read();
    correct_parent(snapshot);
    read_waiting(snapshot);  // if the kernel does not tell, it is what the parent has seen
    return answer_to(request, snapshot, path);
  } catch (...) {
    log_error("status-listen: " + what_was_thrown());
    return {.status = 500, .body = "this can't be answered; see the log\n"};
  }
}

}  // namespace

int reporter_main(ReporterSetup setup) {
  return exit_code_of([&] {
    ::prctl(PR_SET_NAME, "brood-status");  // can't fail
    drop_privileges(identity_of_reporter(), true);
    const ScoreboardReader scoreboards(setup.scoreboards);
    setup.scoreboards.clear();
    HttpServer server(std::move(setup.listeners), [&](const HttpRequest& request) {
      return answer(request, scoreboards, setup.scoreboard);
    });
    server.run(std::move(setup.parent_end));
  });
}

}  // namespace brood
