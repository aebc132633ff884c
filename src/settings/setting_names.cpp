// SPDX-License-Identifier: MIT
#include "settings/setting_names.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/command_line.hpp"
#include "settings/configuration.hpp"

namespace brood {
namespace {

bool is_well_formed(const std::string& name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
         !name.empty() && letters.find(name.front()) != std::string_view::npos && !name.ends_with('-');
}

// Of all child models.
std::vector<std::string> names_of_kit() {
  Configuration parent;
  ServiceConfiguration service("", {.many_connections = true, .threads = true, .command = true}, true);
  Settings table;
  add_service_settings(table, service);
  add_parent_settings(table, parent);
  return names_of(table);
}

}  // namespace

void check_own_name(const std::string& name) {
  const std::string what = "setting '" + escape(name) + '\'';
  if (!is_well_formed(name))
    throw Error(what +
                ": its name is not made of lower-case letters, digits and '-', beginning with a letter");
  if (std::ranges::any_of(general_options(), [&](const ProgramOption& option) {
        return name == option.name || name == option.letter;
      }))
    throw Error(what + ": every server has an option of this name");
  static const std::vector<std::string> of_kit = names_of_kit();
  if (std::ranges::find(of_kit, name) != of_kit.end())
    throw Error(what + ": the kit has a setting of this name; set_default() changes its default");
}

}  // namespace brood
