// SPDX-License-Identifier: MIT
#include "program/status/answers.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "program/status/page.hpp"
#include "scoreboard/report/json.hpp"
#include "scoreboard/report/metrics.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood {
namespace {

constexpr unsigned unavailable = 503;

// Of 128 bits, in digits that need no escape.
std::string new_nonce() {
  std::array<std::uint32_t, 4> random{};
  if (::getrandom(random.data(), sizeof random, 0) != sizeof random) throw SystemError("getrandom", errno);
  std::string digits;
  for (const auto part : random) digits += text(part, '-');
  digits.pop_back();
  return digits;
}

HttpAnswer readiness(const Snapshot& snapshot) {
  const Readiness found = readiness_of(snapshot);
  if (found.is_ready()) return {.body = "ready\n"};
  return {.status = unavailable, .body = text("not ready: ", found.why, '\n')};
}

// Whoever asks restarts the server if it is not alive: that its clients must wait, or that it stops, is no
// reason for that.
HttpAnswer life(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return {.status = unavailable, .body = "the parent is gone\n"};
  if (snapshot.parent_state == 'T' || snapshot.parent_state == 't')
    return {.status = unavailable, .body = "the parent is stopped\n"};
  return {.body = "alive\n"};
}

}  // namespace

HttpAnswer answer_to(const HttpRequest& request, const Snapshot& snapshot, const std::string& scoreboard) {
  if (request.path == "/readyz") return readiness(snapshot);
  if (request.path == "/livez") return life(snapshot);
  if (request.path == "/status.json")
    return {.type = "application/json",
            .body = to_json(snapshot, judge(snapshot), scoreboard, JsonLines::one)};
  if (request.path == "/metrics") {
    const MetricsFormat format = metrics_format(request.accept);
    return {.type = std::string(content_type(format)), .body = to_metrics(snapshot, judge(snapshot), format)};
  }
  if (request.path == "/" || request.path == "/children")
    return page(snapshot, judge(snapshot), request.path == "/" ? Rows::some : Rows::all, new_nonce());
  return {.status = 404, .body = "try /, /children, /status.json, /metrics, /readyz or /livez\n"};
}

}  // namespace brood
