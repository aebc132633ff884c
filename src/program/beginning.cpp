// SPDX-License-Identifier: MIT
#include "program/beginning.hpp"

#include <cstdio>

#include "upgrade/succession.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {

Beginning::Beginning(int argc, const char* const* argv)
    : executable_(argc, argv), heir_(Heir::of_this_process(executable_)) {
  if (heir_) executable_.continue_as(heir_->left().program);
}

CommandLine Beginning::hold(CommandLine line) const {
  if (!heir_) return line;
  const HandedOver& left = heir_->left();
  for (const auto& [name, value] : {std::pair{"name", left.name},
                                    {"runtime-directory", left.runtime_directory},
                                    {"pid-file", left.pid_file}})
    line.settings[name] = {.values = {value}, .where = "the running server"};
  return line;
}

void Beginning::hold(ServiceSource& source) const {
  if (heir_ && heir_->is_former()) source.go_by(heir_->left().settings);
}

void Beginning::rehearse(const std::vector<WantedService>& wanted, const ServiceRules& rules) const {
  const HandedOver& left = heir_->left();
  check_succession(left, wanted, rules.reserved_entries > 0);
  check_room(left);
  std::size_t children = 0;
  for (const auto& service : left.services) children += service.children.size();
  std::puts(rehearsed_line(left.services.size(), children).c_str());
}

void Beginning::give_back(std::string_view why) {
  if (heir_) heir_->give_back(why);
}

}  // namespace brood
