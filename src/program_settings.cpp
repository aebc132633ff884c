// SPDX-License-Identifier: MIT
#include "program_settings.hpp"

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

ProgramSettings::ProgramSettings(const std::string& program, std::span<const NamedServer> servers)
    : shared_("", {.many_connections = true, .threads = true}, true) {
  staged_.name = program;
  for (const auto& [name, server] : servers)
    staged_.services.emplace_back(name, server->child_model(), server->thread_safe());
  if (servers.size() == 1)
    add_one(servers.front());
  else
    add_several(servers);
  in_force_ = staged_;
}

void ProgramSettings::add_one(const NamedServer& named) {
  table_.of_kit(true);
  add_service_settings(table_, staged_.services.front());
  add_parent_settings(table_, staged_);
  table_.of_kit(false);
  table_.section("Of this server");
  named.server->add_settings(table_);
}

void ProgramSettings::add_several(std::span<const NamedServer> servers) {
  table_.of_kit(true);
  shared_.listen.clear();
  add_service_settings(table_, shared_);
  add_parent_settings(table_, staged_);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    ServiceConfiguration& service = staged_.services[i];
    service.listen.clear();
    table_.of_service(service.name);
    table_.of_kit(true);
    add_service_settings(table_, service);
    table_.section("The log");
    add_log_level(table_, service.log_level);
    table_.of_kit(false);
    table_.section("Of this server");
    servers[i].server->add_settings(table_);
  }
}

void ProgramSettings::read(const CommandLine& line) {
  reader_.emplace(table_);
  if (!line.config.empty()) reader_->read_file(line.config);
  reader_->override_with(line.settings);
  reader_->inherit_shared();
  reader_->check();
  reader_->store([](const Setting& setting) { return setting.kits; });
  if (staged_.services.size() == 1) {
    const std::string& known = in_force_.services.front().name;  // only a restart changes it
    staged_.services.front().name = known.empty() ? staged_.name : known;
    staged_.services.front().log_level = staged_.log_level;
  }
  check_together(staged_, *reader_);
  reader_->finish();
}

void ProgramSettings::commit(When when, const std::string& only) {
  const bool all = only.empty() || staged_.services.size() == 1;
  const auto is_concerned = [&](const Setting& setting) { return all || setting.service == only; };
  const auto needs_restart = [&](const Setting& setting) {
    return when == When::running && setting.takes == Takes::restart &&
           values(setting, given_) != values(setting, reader_->given());
  };
  for (const auto& setting : table_.all())
    if (is_concerned(setting) && needs_restart(setting))
      log_warning(text("setting ", setting.name, " has changed; that needs a restart"));
  const auto waits = [&](const Setting& setting) { return !is_concerned(setting) || needs_restart(setting); };
  reader_->store([&](const Setting& setting) { return !setting.kits && !waits(setting); });
  GivenSettings given = reader_->given();
  const Configuration before = in_force_;
  for (const auto& setting : table_.all()) {
    if (!waits(setting)) continue;
    setting.parse(values(setting, given_))();
    given.erase(setting.name);
    if (const auto known = given_.find(setting.name); known != given_.end())
      given[setting.name] = known->second;
  }
  in_force_ = staged_;
  for (std::size_t i = 0; !all && i < before.services.size(); ++i)
    if (before.services[i].name != only) in_force_.services[i] = before.services[i];
  given_ = std::move(given);
}

ServiceConfiguration ProgramSettings::scaled(const std::string& service, const ScaledSettings& scaled) {
  const bool several = staged_.services.size() > 1;
  GivenSettings given = given_;
  for (const auto& [name, value] : scaled) {
    const std::string full = several ? service + '.' + name : name;
    if (std::ranges::find(scalable_settings, name) == scalable_settings.end() ||
        table_.find(full) == nullptr) {
      const std::string near = nearest(name, scalable_settings);
      throw ConfigurationError(text("scale: '", escape(name), "' is no setting of ", service,
                                    " that can be changed while running",
                                    near.empty() || near == name ? "" : "; did you mean '" + near + "'?"));
    }
    given[full] = {.values = {value}, .where = "scale"};
  }
  SettingsReader reader(table_);
  reader.override_with(given);
  reader.check();
  reader.store([](const Setting& setting) { return setting.kits; });
  check_together(staged_, reader);
  reader.finish();
  return *std::ranges::find(staged_.services, service, &ServiceConfiguration::name);
}

}  // namespace brood
