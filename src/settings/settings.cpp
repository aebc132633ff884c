// SPDX-License-Identifier: MIT
#include "brood/settings.hpp"

#include <algorithm>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;
using Values = std::vector<std::string>;

bool parse_flag(const std::string& word) {
  for (const char* yes : {"yes", "true", "on", "1"})
    if (word == yes) return true;
  for (const char* no : {"no", "false", "off", "0"})
    if (word == no) return false;
  throw ConfigurationError("is neither yes nor no");
}

}  // namespace

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
}

Setting& Settings::add(Setting setting) {
  setting.service = service_;
  setting.kits = kits_;
  if (!service_.empty()) setting.name = service_ + '.' + setting.name;
  if (find(setting.name) != nullptr) throw Error("setting " + setting.name + " is defined twice");
  setting.section = section_;
  settings_.push_back(std::move(setting));
  return settings_.back();
}

Setting& Settings::text(std::string name, std::string& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "text",
              .help = std::move(help),
              .defaults = {target},
              .parse = [&target](const Values& values) {
                return [&target, value = values.front()] { target = value; };
              }});
}

Setting& Settings::choice(std::string name, std::string& target, std::vector<std::string> choices,
                          std::string help) {
  std::string kind;
  for (const auto& one : choices)
    kind += (kind.empty() ? "" : (&one == &choices.back() ? " or " : ", ")) + one;
  return add({.name = std::move(name),
              .kind = kind,
              .help = std::move(help),
              .defaults = {target},
              .parse = [&target, choices = std::move(choices), kind](const Values& values) {
                const std::string& value = values.front();
                if (std::find(choices.begin(), choices.end(), value) == choices.end())
                  throw ConfigurationError("is not one of " + kind);
                return [&target, value] { target = value; };
              }});
}

Setting& Settings::flag(std::string name, bool& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "yes or no",
              .help = std::move(help),
              .defaults = {target ? "yes" : "no"},
              .flag = true,
              .parse = [&target](const Values& values) {
                return [&target, value = parse_flag(values.front())] { target = value; };
              }});
}

Setting& Settings::number(std::string name, unsigned& target, unsigned lowest, unsigned highest,
                          std::string help) {
  return add({.name = std::move(name),
              .kind = brood::text("number from ", lowest, " to ", highest),
              .help = std::move(help),
              .defaults = {brood::text(target)},
              .parse = [&target, lowest, highest](const Values& values) {
                const auto value = parse_digits(values.front());
                if (!value) throw ConfigurationError("is not a whole number without a sign");
                if (*value < lowest) throw ConfigurationError(brood::text("is below ", lowest));
                if (*value > highest) throw ConfigurationError(brood::text("is above ", highest));
                return [&target, value = static_cast<unsigned>(*value)] { target = value; };
              }});
}

Setting& Settings::duration(std::string name, milliseconds& target, milliseconds lowest, milliseconds highest,
                            std::string help) {
  return add({.name = std::move(name),
              .kind = "duration",
              .help = std::move(help),
              .defaults = {write_duration(target)},
              .parse = [&target, lowest, highest](const Values& values) {
                return [&target, value = parse_duration(values.front(), lowest, highest)] { target = value; };
              }});
}

Setting& Settings::list(std::string name, std::vector<std::string>& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "text, any number of times",
              .help = std::move(help),
              .defaults = target,
              .list = true,
              .parse = [&target](const Values& values) { return [&target, values] { target = values; }; }});
}

}  // namespace brood
