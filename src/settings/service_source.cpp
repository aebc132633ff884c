// SPDX-License-Identifier: MIT
#include "settings/service_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/lookup/identity.hpp"
#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/scaling.hpp"
#include "settings/service_admission.hpp"

namespace brood {
namespace {

// "": it is not given.
std::string place_of(const std::string& setting, const GivenSettings& given) {
  const auto found = given.find(setting);
  return found == given.end() ? "" : found->second.where;
}

std::string said_at(const std::string& place) { return place.empty() ? "" : place + ": "; }

// The place of the new value, or of the old one if the new one is the default.
std::string place_of(const std::string& setting, const GivenSettings& now, const GivenSettings& before) {
  const std::string place = place_of(setting, now);
  return place.empty() ? place_of(setting, before) : place;
}

std::string needs_server(const std::string& setting) {
  return text("setting ", setting, " has changed; that needs a restart of the server");
}

// Gives the settings that wait for a restart the value that they have in force. `what`: what must be
// restarted. Returns a message for each.
std::vector<std::string> keep(const Settings& table, GivenSettings& wanted, const GivenSettings& in_force,
                              const auto& waits, const auto& what) {
  std::vector<std::string> messages;
  for (const auto& setting : table.all()) {
    if (!waits(setting) || values_of(setting, wanted) == values_of(setting, in_force)) continue;
    messages.push_back(text(said_at(place_of(setting.name, wanted, in_force)), what(setting)));
    wanted.erase(setting.name);
    if (const auto known = in_force.find(setting.name); known != in_force.end())
      wanted[setting.name] = known->second;
  }
  return messages;
}

// Children of the two are of the same kind. The settings that choose it wait together.
bool are_of_one_kind(const ServiceConfiguration& one, const ServiceConfiguration& other) {
  return one.model.command == other.model.command && one.command.gets() == other.command.gets();
}
bool chooses_kind(const std::string& setting) {
  return setting == "command" || setting == "command-gets" || setting == "built-in";
}

std::string mistakes_of(const std::vector<WantedService>& services) {
  std::vector<std::string> all;
  for (const auto& service : services)
    if (!service.mistakes.empty()) all.push_back(service.mistakes);
  return join(all);
}

std::string_view describe_conflict(const ListenSpec& place, const ServiceConfiguration& other) {
  const auto is_its = [&](const ListenSpec& its) { return same_place(its, place); };
  if (std::ranges::any_of(other.listen_specs, is_its)) return " is the same address as one of service ";
  return " overlaps, as one of the two is every address of that port, with one of service ";
}

// Services may not have the same address: the later one is wrong.
void refuse_same_places(std::vector<WantedService>& services) {
  for (auto service = services.begin(); service != services.end(); ++service)
    for (auto other = services.begin(); other != service && service->configuration; ++other) {
      if (!other->configuration) continue;
      const ListenSpec* const place = place_in_both(*service->configuration, *other->configuration);
      if (place == nullptr) continue;
      const std::string theirs = place_of("listen", other->configuration->given);
      service->mistakes = text(said_at(place_of("listen", service->configuration->given)), service->prefix,
                               "listen = ", place->written, describe_conflict(*place, *other->configuration),
                               other->name, theirs.empty() ? "" : text(" (", theirs, ')'));
      service->configuration = nullptr;
    }
}

// "": they differ.
std::string user_of(const std::vector<WantedService>& services) {
  std::optional<std::string> user;
  for (const auto& service : services) {
    if (!service.configuration) continue;
    if (user && *user != service.configuration->user) return "";
    user = service.configuration->user;
  }
  return user.value_or("");
}

}  // namespace

WantedService* WantedSettings::find(std::string_view service) {
  const auto found = std::ranges::find(services, service, &WantedService::name);
  return found == services.end() ? nullptr : &*found;
}

std::string WantedSettings::mistakes() const { return mistakes_of(services); }

ServiceSource::WantedParent ServiceSource::read_parent(const GivenSettings& given,
                                                       const InForce& in_force) const {
  WantedParent wanted = read_parent(given);
  if (!wanted.mistakes.empty() || !in_force.parent) return wanted;
  GivenSettings kept = given;
  auto messages = keep(
      parent_table(), kept, in_force.parent->given,
      [](const Setting& setting) { return setting.applied_on == AppliedOn::restart; },
      [](const Setting& setting) { return needs_server(setting.name); });
  if (!messages.empty()) wanted = read_parent(kept);
  wanted.need_restart = std::move(messages);
  return wanted;
}

WantedService ServiceSource::read_service(const std::string& name, const GivenSettings& given,
                                          const InForce& in_force) const {
  const auto found = in_force.services.find(name);
  const bool known = found != in_force.services.end();
  const GivenSettings before = known ? found->second->given : GivenSettings();
  WantedService wanted = read_service(name, {given});
  check_own(wanted, before);
  if (!wanted.configuration || !known) return wanted;
  const bool restarted = name == in_force.restarted;
  const bool one_kind = are_of_one_kind(*wanted.configuration, *found->second);
  GivenSettings kept = given;
  auto messages = keep(
      service_table(name), kept, before,
      [&](const Setting& setting) {
        const bool waits_for_service =
            setting.applied_on == AppliedOn::service_restart || (!one_kind && chooses_kind(setting.name));
        return setting.applied_on == AppliedOn::restart || (waits_for_service && !restarted);
      },
      [&](const Setting& setting) {
        const std::string its = wanted.prefix + setting.name;
        return setting.applied_on == AppliedOn::restart
                   ? needs_server(its)
                   : text("setting ", its, " has changed; that needs a restart of service ", name,
                          ": broodctl restart ", name);
      });
  if (messages.empty()) return wanted;
  wanted = read_service(name, {.given = kept, .were_in_force = true});
  check_own(wanted, before);
  wanted.need_restart = std::move(messages);
  return wanted;
}

ServiceSource::WantedParent ServiceSource::read_into(Configuration& to, const Settings& table,
                                                     const GivenSettings& given, const std::string& place) {
  SettingsReader reader(table, place);
  reader.inherit(given);
  reader.check();
  reader.stores(true)();
  check_parent(to, reader);
  to.given = reader.given();
  return {std::make_shared<Configuration>(to), reader.errors()};
}

void ServiceSource::read_into(SettingsReader& reader, const ServiceLayers& layers) {
  if (layers.were_in_force)
    reader.restore(layers.given);
  else
    reader.override_with(layers.given);
  reader.override_with(given_by(layers.scaled));
  reader.check();
  reader.stores(true)();
}

void ServiceSource::check_and_take(WantedService& wanted, ServiceConfiguration read,
                                   const ServiceLayers& layers, SettingsReader& reader) {
  check_service(read, reader);
  for (const auto& written : read.listen)
    if (const auto descriptor = inherited_descriptor(written)) wanted.inherited.push_back(*descriptor);
  read.given = layers.given;
  read.scaled = layers.scaled;
  wanted.mistakes = reader.errors();
  if (wanted.mistakes.empty())
    wanted.configuration = std::make_shared<const ServiceConfiguration>(std::move(read));
}

WantedSettings ServiceSource::restore(
    const GivenSettings& parent, const std::vector<std::pair<std::string, ServiceLayers>>& services) const {
  std::vector<WantedService> wanted;
  for (const auto& [name, layers] : services) wanted.push_back(read_service(name, layers));
  return conclude("", read_parent(parent), std::move(wanted));
}

// Nothing is looked up: what is in force was.
WantedService ServiceSource::scale(const ServiceConfiguration& in_force, const ScaledSettings& scaled) const {
  Lookups known;
  add_identity(known, in_force.user, in_force.group, in_force.identity);
  add_users(known, in_force.admission);
  const RepeatLookups repeat(known);
  const auto read = [&](const ScaledSettings& layer) {
    WantedService wanted =
        read_service(in_force.name, {.given = in_force.given, .scaled = layer, .were_in_force = true});
    if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
    return wanted;
  };
  WantedService wanted = read(scaled), unscaled = read({});
  return wanted.configuration->limits == unscaled.configuration->limits ? unscaled : wanted;
}

WantedSettings ServiceSource::conclude(const std::string& mistakes, WantedParent parent,
                                       std::vector<WantedService> services) {
  refuse_same_places(services);
  std::vector<std::string> all;
  if (!mistakes.empty()) all.push_back(mistakes);
  if (!parent.mistakes.empty()) all.push_back(parent.mistakes);
  // Those of the services are reported with them.
  if (!all.empty() && !mistakes_of(services).empty()) all.push_back(mistakes_of(services));
  if (!all.empty()) throw ConfigurationError(join(all));
  parent.configuration->log_user = user_of(services);
  return {std::move(parent.configuration), std::move(parent.need_restart), std::move(services)};
}

}  // namespace brood
