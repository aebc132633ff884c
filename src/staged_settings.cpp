// SPDX-License-Identifier: MIT
#include "staged_settings.hpp"

#include <algorithm>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "text.hpp"

namespace brood {
namespace {

const std::vector<std::string>& values(const Setting& setting, const GivenSettings& given) {
  const auto found = given.find(setting.name);
  return found == given.end() ? setting.defaults : found->second.values;
}

}  // namespace

GivenSettings StagedSettings::scaled(const ScaledSettings& scaled, const std::string& prefix,
                                     const std::string& service) const {
  GivenSettings given = given_;
  for (const auto& [name, value] : scaled) {
    if (std::ranges::find(scalable_settings, name) == scalable_settings.end() ||
        table.find(prefix + name) == nullptr) {
      const std::string near = nearest(name, scalable_settings);
      throw ConfigurationError(text("scale: '", escape(name), "' is no setting of ", service,
                                    " that can be changed while running",
                                    near.empty() || near == name ? "" : "; did you mean '" + near + "'?"));
    }
    given[prefix + name] = {.values = {value}, .where = "scale"};
  }
  return given;
}

void StagedSettings::commit(When when, const std::function<bool(const Setting&)>& is_concerned) {
  const auto needs_restart = [&](const Setting& setting) {
    return when == When::running && setting.takes == Takes::restart &&
           values(setting, given_) != values(setting, reader_->given());
  };
  for (const auto& setting : table.all())
    if (is_concerned(setting) && needs_restart(setting))
      log_warning(text("setting ", setting.name, " has changed; that needs a restart"));
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
}

}  // namespace brood
