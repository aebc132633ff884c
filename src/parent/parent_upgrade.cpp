// SPDX-License-Identifier: MIT
// How the parent leaves all that it has to the next program of its process, and takes it over from the one
// before.
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/parent.hpp"
#include "parent/verbs.hpp"

namespace brood {

void Parent::upgrade() {
  if (stopping_) return upgrade_.refuse("the server stops");
  upgrade_.begin(Clock::now());
}

Parent::UpgradeOutcome Parent::last_upgrade() const {
  using State = UpgradeOutcome::State;
  if (upgrade_.under_way()) return {State::under_way, ""};
  if (!upgrade_.refused().empty()) return {State::refused, upgrade_.refused()};
  return taken_over_;
}

HandedOver Parent::hand_over() const {
  HandedOver to;
  duties_.hand_over(to);
  to.name = duties_.name;
  to.program = duties_.program.path();
  to.ready = ready_;
  to.told_not_ready = told_not_ready_;
  to.scoreboard = duties_.scoreboard_path;
  to.whole_descriptor = scoreboard_.descriptors().whole.get();
  to.read_only_descriptor = scoreboard_.descriptors().read_only.get();
  to.wake_descriptor = wake_.get();
  to.control = control_.hand_over();
  to.asker_descriptors = control_.waiting_for_upgrade();
  for (const auto& service : services_) to.services.push_back(service->hand_over());
  return to;
}

void Parent::take_over(Takeover& takeover) {
  const HandedOver& from = *takeover.handed_over();
  const Time now = Clock::now();
  if (takeover.given_back()) scale_again(takeover);
  unsigned children = 0;
  for (const auto& service : services_) {
    service->take_over(takeover, now);
    children += service->pool().count();
  }
  control_.take_over(takeover, outcome_of_upgrade(*this));
  ready_ = from.ready;
  told_not_ready_ = from.told_not_ready;
  using State = UpgradeOutcome::State;
  if (takeover.given_back()) {
    taken_over_ = {State::refused, from.refused};
    log_error(text("upgrade refused: ", from.refused, "; the former program goes on"));
  } else {
    taken_over_ = {State::done, text(duties_.program.path(), " took over ", children, " children of ",
                                     services_.size(), " service(s)")};
    log_info("upgraded: " + taken_over_.message);
    add(scoreboard_.orders().upgrades, 1);
  }
  takeover.accept();
}

// Before the services take over: of which generation they are is told after it.
void Parent::scale_again(const Takeover& takeover) {
  for (const auto& service : services_) try {
      if (const auto& scaled = takeover.find(service->name())->scaled; !scaled.empty())
        scale(*service, scaled);
    } catch (const Error& error) {
      log_error(text("service ", service->name(),
                     ": the limits that it was scaled to are lost: ", std::string_view(error.what())));
    }
}

}  // namespace brood
