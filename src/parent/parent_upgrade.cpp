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
  HandedOver left;
  duties_.hand_over(left);
  left.name = duties_.name;
  left.program = duties_.program.path();
  left.ready = ready_;
  left.told_not_ready = told_not_ready_;
  left.scoreboard = duties_.scoreboard_path;
  left.whole_descriptor = scoreboard_.descriptors().whole.get();
  left.read_only_descriptor = scoreboard_.descriptors().read_only.get();
  left.wake_descriptor = wake_.get();
  left.control = control_.hand_over();
  left.asker_descriptors = control_.waiting_for_upgrade();
  for (const auto& service : services_) left.services.push_back(service->hand_over());
  return left;
}

void Parent::take_over(Heir& heir) {
  const Time now = Clock::now();
  if (heir.is_former()) scale_again(heir);
  unsigned children = 0;
  for (const auto& service : services_) {
    service->take_over(heir, now);
    children += service->pool().count();
  }
  control_.take_over(heir, outcome_of_upgrade(*this));
  ready_ = heir.left().ready;
  told_not_ready_ = heir.left().told_not_ready;
  using State = UpgradeOutcome::State;
  if (heir.is_former()) {
    taken_over_ = {State::refused, heir.left().refused};
    log_error(text("upgrade refused: ", heir.left().refused, "; the former program has all back"));
  } else {
    taken_over_ = {State::done, text(duties_.program.path(), " took over ", children, " children of ",
                                     services_.size(), " service(s)")};
    log_info("upgraded: " + taken_over_.message);
    add(scoreboard_.orders().upgrades, 1);
  }
  heir.accept();
}

// Before the services take over: of which generation they are is told after it.
void Parent::scale_again(const Heir& heir) {
  for (const auto& service : services_) try {
      if (const auto& scaled = heir.find(service->name())->scaled; !scaled.empty()) scale(*service, scaled);
    } catch (const Error& error) {
      log_error(text("service ", service->name(),
                     ": the limits that it was scaled to are lost: ", std::string_view(error.what())));
    }
}

}  // namespace brood
