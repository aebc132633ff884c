// SPDX-License-Identifier: MIT
#include "directory_settings.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/settings_printer.hpp"

namespace brood {
namespace {

constexpr std::uint32_t entries_for_new_services = 16;

using ByService = std::map<std::string, GivenSettings>;

// Values for all services, and values for one.
std::pair<GivenSettings, ByService> by_service(const GivenSettings& values) {
  std::pair<GivenSettings, ByService> parts;
  for (const auto& [name, given] : values) {
    const auto dot = name.find('.');
    if (dot == std::string::npos)
      parts.first[name] = given;
    else
      parts.second[name.substr(0, dot)][name.substr(dot + 1)] = given;
  }
  return parts;
}

}  // namespace

DirectorySettings::DirectorySettings(ConfigDirectory directory)
    : directory_(std::move(directory)), shared_("") {
  staged_.name = "brood";
  add_shared_settings(shared_table_.table, shared_, staged_, strict_);
}

void DirectorySettings::take(CommandLine line) {
  config_ = line.config;
  std::tie(for_all_, for_one_) = by_service(line.settings);
}

ServiceRules DirectorySettings::rules() const {
  return {.all_or_none = strict_, .refuses_namesake = true, .reserved_entries = entries_for_new_services};
}

const Configuration& DirectorySettings::read_shared() {
  const auto files = config_.empty() ? directory_.defaults() : std::vector<std::string>{config_};
  read_shared(files, for_all_);
  return staged_;
}

void DirectorySettings::read_shared(const std::vector<std::string>& files, const GivenSettings& values) {
  SettingsReader& reader = shared_table_.begin(directory_.path());
  for (const auto& file : files) {
    const bool known = reader.find("command") != nullptr;
    reader.read_file(file);
    if (Given* command = reader.find("command"); command != nullptr && !known)
      command->values.front() = resolve_command(command->values.front(), file);
  }
  reader.override_with(values);
  reader.check();
  reader.store([](const Setting&) { return true; });
  check_parent(staged_, reader);
  reader.finish();
}

std::vector<WantedService> DirectorySettings::read() {
  if (go_by_) return read_values(*std::exchange(go_by_, {}));
  read_shared();
  const GivenSettings& shared = shared_table_.reader().given();
  return read_each(directory_.services(),
                   [&](ServiceFile& file) { file.read(for_one_[file.name()], shared_table_.table, shared); });
}

std::vector<WantedService> DirectorySettings::read_values(const GivenSettings& values) {
  auto [for_all, for_one] = by_service(values);
  read_shared({}, for_all);
  std::vector<ServicePath> services;
  for (const auto& [name, its] : for_one)
    services.push_back({name, text(directory_.path(), '/', name, ".conf")});
  return read_each(services, [&](ServiceFile& file) { file.go_by(for_one[file.name()]); });
}

std::vector<WantedService> DirectorySettings::read_each(const std::vector<ServicePath>& services,
                                                        const std::function<void(ServiceFile&)>& read) {
  ++readings_;
  kept_.clear();
  wanted_.clear();
  staged_.services.clear();
  std::vector<WantedService> all;
  std::vector<const ServiceFile*> right;
  for (const auto& [name, path] : services) {
    auto& file = files_[name];
    if (!file) file = std::make_unique<ServiceFile>(name, path);
    read(*file);
    for (const ServiceFile* other : right)
      if (file->is_right()) file->refuse_place_of(*other);
    if (file->is_right()) right.push_back(file.get());
    wanted_.insert(name);
    all.push_back(file->wanted());
    if (all.back().configuration) staged_.services.push_back(*all.back().configuration);
  }
  return all;
}

void DirectorySettings::keep(const std::string& service) {
  kept_.insert(service);
  if (readings_ > 1) return;
  // At the start it has no values that it could keep.
  files_.erase(service);
  list_in_force();
}

std::vector<std::string> DirectorySettings::commit(When when, const std::string& only) {
  std::vector<std::string> waits;
  if (only.empty()) {
    waits = shared_table_.commit(when, [](const Setting&) { return true; });
    in_force_ = staged_;
  }
  std::erase_if(files_, [&](const auto& each) {
    const auto& [name, file] = each;
    if (!only.empty() && name != only) return false;
    if (!wanted_.contains(name)) return true;
    if (file->is_right() && !kept_.contains(name))
      std::ranges::move(file->commit(when), std::back_inserter(waits));
    return !file->in_force();  // it is created again when it is read again
  });
  list_in_force();
  return waits;
}

void DirectorySettings::list_in_force() {
  in_force_.services.clear();
  for (const auto& [name, file] : files_)
    if (file->in_force()) in_force_.services.push_back(*file->in_force());
}

ServiceConfiguration DirectorySettings::scaled(const std::string& service, const ScaledSettings& scaled) {
  return files_.at(service)->scaled(scaled);
}

GivenSettings DirectorySettings::given() const {
  GivenSettings all = shared_table_.given();
  for (const auto& [service, file] : files_)
    for (const auto& [name, given] : file->given()) all[text(service, '.', name)] = given;
  return all;
}

std::string DirectorySettings::print() const {
  std::string out = print_settings(shared_table_.table, shared_table_.given(),
                                   "Settings of " + in_force_.name + ", and what its services share");
  for (const auto& [name, file] : files_) out += '\n' + file->print();
  return out;
}

void add_shared_settings(Settings& table, ServiceSettings& services, Configuration& parent, bool& strict) {
  services.add_to(table);
  add_parent_settings(table, parent);
  table
      .flag("strict", strict,
            "If there is a mistake in one file, or if one service cannot be started, start none.")
      .applied_on = AppliedOn::restart;
}

}  // namespace brood
