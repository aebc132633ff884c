// SPDX-License-Identifier: MIT
#include "child/client_messages.hpp"

#include <array>
#include <atomic>
#include <mutex>

#include "base/log/message_limiter.hpp"
#include "base/text.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

class ClientMessages {
 public:
  void log(ClientMessage kind, LogLevel level, const std::string& message) {
    const std::lock_guard lock(mutex_);
    Kind& of = kinds_.at(static_cast<std::size_t>(kind));
    const Time now = Clock::now();
    report(of, of.limiter.due(now));
    of.level = level;
    if (of.limiter.allows(now)) return brood::log(level, message);
    of.last = message;
    holds_back_ = true;
  }

  void sum_up(bool at_end) {
    if (!holds_back_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    const Time now = Clock::now();
    bool more = false;
    for (Kind& kind : kinds_) {
      report(kind, at_end ? kind.limiter.end() : kind.limiter.due(now));
      more = more || kind.limiter.holds_back();
    }
    holds_back_ = more;
  }

 private:
  struct Kind {
    MessageLimiter limiter{10, 10s};
    LogLevel level = LogLevel::warning;
    std::string last;  // that was held back
  };

  static void report(const Kind& kind, const std::optional<MessageLimiter::More>& more) {
    if (more)
      brood::log(kind.level, text("and ", more->messages, " more like it in ", more->time,
                                  ", the last one: ", kind.last));
  }

  std::mutex mutex_;
  std::atomic<bool> holds_back_{false};
  std::array<Kind, client_message_kinds> kinds_;
};

// One process, one log. Not made at its first use: that would be in each child, in memory of its own.
ClientMessages messages;

}  // namespace

void log_for_client(ClientMessage kind, LogLevel level, const std::string& message) {
  messages.log(kind, level, message);
}
[[gnu::hot]] void sum_up_client_messages() { messages.sum_up(false); }
void end_client_messages() { messages.sum_up(true); }

}  // namespace brood
