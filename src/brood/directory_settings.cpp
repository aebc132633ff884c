// SPDX-License-Identifier: MIT
#include "directory_settings.hpp"

#include "brood/error.hpp"
#include "text.hpp"

namespace brood {
namespace {

constexpr std::uint32_t entries_for_new_services = 16;

}  // namespace

DirectorySettings::DirectorySettings(ConfigDirectory directory)
    : directory_(std::move(directory)), shared_("") {
  staged_.name = "brood";
  add_shared_settings(shared_table_.table, shared_, staged_, strict_);
}

void DirectorySettings::take(const CommandLine& line) {
  config_ = line.config;
  for (const auto& [name, given] : line.settings) {
    const auto dot = name.find('.');
    if (dot == std::string::npos)
      for_all_[name] = given;
    else
      for_one_[name.substr(0, dot)][name.substr(dot + 1)] = given;
  }
}

Manner DirectorySettings::manner() const {
  return {.all_or_none = strict_,
          .together = false,
          .refuses_namesake = true,
          .reserved_entries = entries_for_new_services};
}

const Configuration& DirectorySettings::read_shared() {
  SettingsReader& reader = shared_table_.begin(directory_.path());
  for (const auto& file : config_.empty() ? directory_.defaults() : std::vector<std::string>{config_}) {
    const bool known = reader.find("command") != nullptr;
    reader.read_file(file);
    if (Given* command = reader.find("command"); command != nullptr && !known)
      command->values.front() = resolve_command(command->values.front(), file);
  }
  reader.override_with(for_all_);
  reader.check();
  reader.store([](const Setting&) { return true; });
  check_parent(staged_, reader);
  reader.finish();
  return staged_;
}

std::vector<WantedService> DirectorySettings::read() {
  read_shared();
  const GivenSettings& shared = shared_table_.reader().given();
  const auto paths = directory_.services();
  ++readings_;
  kept_.clear();
  wanted_.clear();
  staged_.services.clear();
  std::vector<WantedService> all;
  std::vector<const ServiceFile*> right;
  for (const auto& [name, path] : paths) {
    auto& file = files_[name];
    if (!file) file = std::make_unique<ServiceFile>(name, path);
    file->read(for_one_[name], shared);
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
  // At the start there is nothing that it could keep.
  files_.erase(service);
  list_in_force();
}

void DirectorySettings::commit(When when, const std::string& only) {
  if (only.empty()) {
    shared_table_.commit(when, [](const Setting&) { return true; });
    in_force_ = staged_;
  }
  std::erase_if(files_, [&](const auto& each) {
    const auto& [name, file] = each;
    if (!only.empty() && name != only) return false;
    if (!wanted_.contains(name)) return true;
    if (file->is_right() && !kept_.contains(name)) file->commit(when);
    return !file->in_force();  // it is made anew when it is read again
  });
  list_in_force();
}

void DirectorySettings::list_in_force() {
  in_force_.services.clear();
  for (const auto& [name, file] : files_)
    if (file->in_force()) in_force_.services.push_back(*file->in_force());
}

ServiceConfiguration DirectorySettings::scaled(const std::string& service, const ScaledSettings& scaled) {
  return files_.at(service)->scaled(scaled);
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
            "Whether a mistake in one file, or a service that can't be started, is a reason to start none.")
      .takes = Takes::restart;
}

}  // namespace brood
