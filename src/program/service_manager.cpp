// SPDX-License-Identifier: MIT
#include "program/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/surroundings.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;

// The load changes with each connection; the manager shows it to people.
constexpr auto status_period = 1s;
// A stop may take as long as drain-delay and graceful-timeout say, and the manager has a limit of its own.
constexpr auto extension = 30s;
constexpr auto extension_period = 10s;
constexpr auto retry_time = 100ms;

constexpr std::array variables = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};

// As sd_watchdog_enabled(3) reads it.
std::optional<microseconds> watchdog_of_environment() {
  const auto period = parse_number<std::uint64_t>(variable("WATCHDOG_USEC"));
  const auto pid = variable("WATCHDOG_PID");
  const bool for_us = pid.empty() || parse_number<pid_t>(pid) == ::getpid();
  if (!period || *period == 0 || !for_us) return {};
  return microseconds(*period);
}

std::string status_line(const ServerState& state, const ServerLoad& load) {
  std::string_view what = state.stopping ? "stopping; " : "";
  if (state.draining) what = "draining; ";
  return text("STATUS=", what, load.busy, " busy, ", load.spare, " spare, ", load.waiting, " waiting; ",
              load.children, " of ", load.max_clients, " children");
}

}  // namespace

ManagerMessages::ManagerMessages(std::optional<microseconds> watchdog)
    : watchdog_(watchdog ? std::optional<Clock::duration>(*watchdog / 2) : std::nullopt) {}

std::string ManagerMessages::next(const ServerState& state, const std::function<ServerLoad()>& load,
                                  Time now) {
  look_again_ = never;
  if (std::string message = next_state(state, now); !message.empty()) return message;
  if (watchdog_ && due(watchdog_at_, *watchdog_, now)) return "WATCHDOG=1";
  if (state.stopping && due(extend_at_, extension_period, now))
    return text("EXTEND_TIMEOUT_USEC=", microseconds(extension).count());
  return state.ready ? next_status(state, load, now) : "";
}

bool ManagerMessages::due(Time& at, Clock::duration period, Time now) {
  const bool is_due = now >= at;
  if (is_due) at = now + period;
  look_again_ = std::min(look_again_, at);
  return is_due;
}

// systemd(1) waits for a reload that begins after its signal, and then for the next READY=1.
std::string ManagerMessages::next_state(const ServerState& state, Time now) {
  if (state.stopping) return std::exchange(told_stopping_, true) ? "" : "STOPPING=1";
  if (std::exchange(told_reloads_, state.reloads) != state.reloads) {
    told_ready_ = false;
    return text("RELOADING=1\nMONOTONIC_USEC=", duration_cast<microseconds>(now.time_since_epoch()).count());
  }
  if (!state.ready || state.reloading || told_ready_) return "";
  told_ready_ = true;
  return "READY=1";
}

// What changes sooner is told when that time is over.
std::string ManagerMessages::next_status(const ServerState& state, const std::function<ServerLoad()>& load,
                                         Time now) {
  if (now < status_at_) {
    look_again_ = std::min(look_again_, status_at_);
    return "";
  }
  status_at_ = now + status_period;
  std::string status = status_line(state, load());
  if (status == told_status_) return "";
  look_again_ = std::min(look_again_, status_at_);
  return told_status_ = std::move(status);
}

// ---- to the manager

ServiceManager::ServiceManager(int notify_descriptor)
    : path_(variable("NOTIFY_SOCKET")), newline_to_(notify_descriptor), messages_(watchdog_of_environment()) {
  if (newline_to_) ::fcntl(newline_to_.get(), F_SETFD, FD_CLOEXEC);
  if (path_.empty()) return;
  socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) log_warning(SystemError("socket for NOTIFY_SOCKET", errno).what());
}

Time ServiceManager::tell(const ServerState& state, const std::function<ServerLoad()>& load, Time now) {
  if (state.ready && newline_to_) {
    if (::write(newline_to_.get(), "\n", 1) != 1) log_warning(SystemError("notify-fd", errno).what());
    newline_to_.reset();
  }
  if (!socket_) return never;
  for (;;) {
    if (unsent_.empty()) unsent_ = messages_.next(state, load, now);
    if (unsent_.empty()) return messages_.look_again();
    if (!send(unsent_)) return now + retry_time;
    unsent_.clear();
  }
}

// False: the manager does not read, and this may be sent later.
bool ServiceManager::send(const std::string& message) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  int error_number = ENAMETOOLONG;
  if (path_.size() < sizeof address.sun_path) {
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (path_.front() == '@') address.sun_path[0] = '\0';  // an abstract name
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    if (::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size) >= 0) {
      failed_ = false;
      return true;
    }
    error_number = errno;
  }
  if (error_number == EAGAIN || error_number == ENOBUFS || error_number == EINTR) return false;
  if (!std::exchange(failed_, true)) log_warning(SystemError("tell " + path_, error_number).what());
  return true;
}

void ServiceManager::forget() {
  socket_.reset();
  newline_to_.reset();
  for (const char* const each : variables)
    if (::getenv(each) != nullptr) ::unsetenv(each);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace brood
