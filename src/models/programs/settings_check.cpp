// SPDX-License-Identifier: MIT
#include "models/programs/settings_check.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/clock.hpp"
#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/programs/check_process.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

// Runs several at a time. One that hangs holds up no other one.
class CheckRun {
 public:
  CheckRun(std::span<const SettingsCheck> checks, const CheckTimes& times)
      : checks_(checks), times_(times), end_(Clock::now() + times.all), outcomes_(checks.size()) {}

  std::vector<std::string> run() {
    for (Time now = Clock::now(); begin_those_that_fit(now) || !running_.empty(); now = Clock::now()) {
      wait(now);
      std::erase_if(running_, [&](Running& each) { return is_over(each, Clock::now()); });
    }
    const Time until = Clock::now() + times_.to_die;
    for (const auto& process : killed_) process->kill(until);
    return std::move(outcomes_);
  }

 private:
  struct Running {
    std::size_t check;
    Time begun;
    std::unique_ptr<CheckProcess> process;
  };

  bool is_late(const Running& each, Time now) const { return now >= each.begun + times_.each; }
  // One that takes longer than most waits for something, and takes no processor from others.
  bool counts(const Running& each, Time now) const { return now < each.begun + times_.usual; }

  // False: all have begun, or there is no time for more.
  bool begin_those_that_fit(Time now) {
    while (next_ < checks_.size()) {
      const auto counted =
          std::ranges::count_if(running_, [&](const auto& each) { return counts(each, now); });
      if (now < end_ && static_cast<std::size_t>(counted) >= times_.at_once) return true;
      begin(next_++, now);
    }
    return false;
  }

  void begin(std::size_t check, Time now) {
    if (checks_[check].words.empty()) return;
    const std::string& program = checks_[check].words.front();
    if (now >= end_) {
      outcomes_[check] = text(program, " was not run: those of other services took ", times_.all);
      return;
    }
    try {
      running_.push_back({check, now, std::make_unique<CheckProcess>(checks_[check])});
    } catch (const Error& error) {
      outcomes_[check] = text(program, ": ", std::string_view(error.what()));
    }
  }

  void wait(Time now) const {
    Time until = end_;
    std::vector<pollfd> waits;
    for (const Running& each : running_) {
      waits.push_back({each.process->ended(), POLLIN, 0});
      waits.push_back({each.process->errors(), POLLIN, 0});
      until = std::min(until, counts(each, now) && next_ < checks_.size() ? each.begun + times_.usual
                                                                          : each.begun + times_.each);
    }
    const auto left = std::chrono::ceil<milliseconds>(until - std::min(until, now));
    if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
      throw SystemError("poll", errno);
  }

  bool is_over(Running& each, Time now) {
    if (each.process->errors() >= 0) each.process->read_errors();
    pollfd ended{each.process->ended(), POLLIN, 0};
    std::string& outcome = outcomes_[each.check];
    if (::poll(&ended, 1, 0) > 0) {
      outcome = each.process->outcome();
      return true;
    }
    if (!is_late(each, now) && now < end_) return false;
    const std::string& program = each.process->program();
    outcome = is_late(each, now)
                  ? text(program, " took longer than ", times_.each)
                  : text(program, " had not ended when those of all services had taken ", times_.all);
    each.process->kill();
    killed_.push_back(std::move(each.process));
    return true;
  }

  const std::span<const SettingsCheck> checks_;
  const CheckTimes times_;
  const Time end_;
  std::vector<std::string> outcomes_;
  std::size_t next_ = 0;
  std::vector<Running> running_;
  std::vector<std::unique_ptr<CheckProcess>> killed_;
};

}  // namespace

SettingsCheck check_of(const ServiceCommand& command) {
  const OwnSettings& own = command.own;
  SettingsCheck check;
  if (!own.check_words.empty()) {
    check.words = own.check_words;
    std::ranges::copy(arguments_of(own), std::back_inserter(check.words));
  } else if (own.check.empty() && !own.values.empty() && command.gets() == CommandGets::slot) {
    check.words = command.words;
    check.words.emplace_back("--test-config");
    check.as_child = true;
  }
  return check;
}

std::vector<std::string> run_settings_checks(std::span<const SettingsCheck> checks, const CheckTimes& times) {
  std::vector<std::string> live, mistakes(checks.size());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].words.empty()) continue;
    try {
      mistakes[i] = look_up("check of settings of", checks[i].service, [&] {
        if (live.empty()) live = CheckRun(checks, times).run();
        return live[i];
      });
    } catch (const Error& error) {
      mistakes[i] = error.what();
    }
  }
  return mistakes;
}

}  // namespace brood
