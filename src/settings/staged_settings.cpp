// SPDX-License-Identifier: MIT
#include "settings/staged_settings.hpp"

#include "base/text.hpp"

namespace brood {
namespace {

const std::vector<std::string>& values(const Setting& setting, const GivenSettings& given) {
  const auto found = given.find(setting.name);
  return found == given.end() ? setting.defaults : found->second.values;
}

// The place of the new value, or of the old one if the new one is the default. Several services may have a
// setting of this name.
std::string place_of(const Setting& setting, const GivenSettings& now, const GivenSettings& before) {
  for (const auto* given : {&now, &before})
    if (const auto found = given->find(setting.name); found != given->end() && !found->second.where.empty())
      return found->second.where + ": ";
  return "";
}

}  // namespace

SettingsReader& StagedSettings::begin_with(const GivenSettings& changes) {
  SettingsReader& reader = begin();
  reader.restore(given_);
  reader.override_with(changes);
  return reader;
}

std::vector<std::string> StagedSettings::commit(When when,
                                                const std::function<bool(const Setting&)>& is_concerned) {
  const auto needs_restart = [&](const Setting& setting) {
    return when == When::running && setting.applied_on == AppliedOn::restart &&
           values(setting, given_) != values(setting, reader_->given());
  };
  std::vector<std::string> messages;
  for (const auto& setting : table.all())
    if (is_concerned(setting) && needs_restart(setting))
      messages.push_back(text(place_of(setting, reader_->given(), given_), "setting ", setting.name,
                              " has changed; that needs a restart"));
  const auto waits = [&](const Setting& setting) { return !is_concerned(setting) || needs_restart(setting); };
  reader_->store([&](const Setting& setting) { return !setting.kits && !waits(setting); });
  GivenSettings given = reader_->given();
  for (const auto& setting : table.all()) {
    if (!waits(setting)) continue;
    setting.parse(values(setting, given_))();
    given.erase(setting.name);
    if (const auto known = given_.find(setting.name); known != given_.end())
      given[setting.name] = known->second;
  }
  given_ = std::move(given);
  return messages;
}

}  // namespace brood
