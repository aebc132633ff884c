// SPDX-License-Identifier: MIT
#include "brood/settings.hpp"

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/setting_names.hpp"

namespace brood {

using std::chrono::milliseconds;

const Setting* Settings::find(std::string_view name) const {
  const auto found =
      std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return s.name == name; });
  return found == settings_.end() ? nullptr : &*found;
}

void Settings::set_default(std::string_view name, std::vector<std::string> values) {
  const auto found =
      std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return s.name == name; });
  if (found == settings_.end()) throw Error(brood::text("there is no setting ", name));
  if (values.empty() || (values.size() > 1 && !found->list))
    throw Error(brood::text("setting ", name, " takes one default"));
  found->defaults = std::move(values);
  found->other_default = true;
}

void Settings::adopt_defaults(const Settings& from) {
  for (const auto& setting : from.all())
    if (setting.kits && setting.other_default && find(setting.name) != nullptr)
      set_default(setting.name, setting.defaults);
}

void Settings::adopt(const Settings& from) {
  adopt_defaults(from);
  std::ranges::copy_if(from.all(), std::back_inserter(settings_), [](const Setting& s) { return !s.kits; });
}

void Settings::add_service(const std::string& service, const Settings& table) {
  for (Setting setting : table.all()) {
    setting.service = service;
    setting.name = service + '.' + setting.name;
    if (!setting.in_list.empty()) setting.in_list = service + '.' + setting.in_list;
    settings_.push_back(std::move(setting));
  }
}

Setting& Settings::add(Setting setting) {
  setting.kits = kits_;
  if (!kits_) check_own_name(setting.name);
  if (find(setting.name) != nullptr) throw Error("setting '" + setting.name + "' is added twice");
  setting.section = section_;
  settings_.push_back(std::move(setting));
  return settings_.back();
}

Setting& Settings::text(const std::string& name, std::string& target, const std::string& help) {
  return value(name, target, text_type(), help);
}

Setting& Settings::choice(const std::string& name, std::string& target, std::vector<std::string> choices,
                          const std::string& help) {
  return value(name, target, choice_type(std::move(choices)), help);
}

Setting& Settings::flag(const std::string& name, bool& target, const std::string& help) {
  return value(name, target, flag_type(), help);
}

Setting& Settings::number(const std::string& name, unsigned& target, unsigned lowest, unsigned highest,
                          const std::string& help) {
  return value(name, target, type_between(lowest, highest), help);
}

Setting& Settings::real(const std::string& name, double& target, double lowest, double highest,
                        const std::string& help) {
  return value(name, target, type_between(lowest, highest), help);
}

Setting& Settings::duration(const std::string& name, milliseconds& target, milliseconds lowest,
                            milliseconds highest, const std::string& help) {
  return value(name, target, type_between(lowest, highest), help);
}

Setting& Settings::size(const std::string& name, std::uint64_t& target, std::uint64_t lowest,
                        std::uint64_t highest, const std::string& help) {
  return value(name, target, type_between(lowest, highest), help);
}

Setting& Settings::path(const std::string& name, std::string& target, const std::string& help) {
  return value(name, target, path_type(), help);
}

Setting& Settings::list(const std::string& name, std::vector<std::string>& target, const std::string& help) {
  return list(name, target, text_type(), help);
}

Setting& Settings::list(const std::string& name, std::vector<std::string>& target,
                        std::vector<std::string> choices, const std::string& help) {
  return list(name, target, choice_type(std::move(choices)), help);
}

}  // namespace brood
