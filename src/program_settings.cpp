// SPDX-License-Identifier: MIT
#include "program_settings.hpp"

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
    staged_.services.front().name = staged_.name;
    staged_.services.front().log_level = staged_.log_level;
  }
  check_together(staged_, *reader_);
  reader_->finish();
}

void ProgramSettings::commit(bool running) {
  const auto waits = [&](const Setting& setting) {
    return running && setting.takes == Takes::restart &&
           values(setting, given_) != values(setting, reader_->given());
  };
  for (const auto& setting : table_.all())
    if (waits(setting)) log_warning(text("setting ", setting.name, " has changed; that needs a restart"));
  reader_->store([&](const Setting& setting) { return !setting.kits && !waits(setting); });
  GivenSettings given = reader_->given();
  for (const auto& setting : table_.all()) {
    if (!waits(setting)) continue;
    setting.parse(values(setting, given_))();
    given.erase(setting.name);
    if (const auto before = given_.find(setting.name); before != given_.end())
      given[setting.name] = before->second;
  }
  in_force_ = staged_;
  given_ = std::move(given);
}

}  // namespace brood
