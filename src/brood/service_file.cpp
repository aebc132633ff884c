// SPDX-License-Identifier: MIT
#include "service_file.hpp"

#include "base/text.hpp"
#include "brood/command_server.hpp"
#include "brood/error.hpp"
#include "config_directory.hpp"
#include "settings/settings_printer.hpp"

namespace brood {

ServiceSettings::ServiceSettings(std::string name)
    : configuration(std::move(name), CommandServer().child_model(), CommandServer().thread_safe()) {
  configuration.listen.clear();  // there is no default: each service needs its own
}

void ServiceSettings::add_to(Settings& table) {
  table.of_kit(true);
  add_service_settings(table, configuration);
  table.section("A built-in service");
  std::vector<std::string> choices = {"none"};
  choices.insert(choices.end(), BuiltIn::names().begin(), BuiltIn::names().end());
  table.choice(
      "built-in", built_in, choices,
      "A service of brood itself. echo: sends back what it receives. discard: drops what it receives.");
}

ServiceFile::ServiceFile(std::string name, std::string path)
    : path_(std::move(path)), settings_(std::move(name)) {
  settings_.add_to(table_.table);
  table_.table.section("The log");
  add_log_level(table_.table, settings_.configuration.log_level);
}

void ServiceFile::read(const GivenSettings& own, const Settings& shared_table, const GivenSettings& shared) {
  const std::string whose = "service " + name();
  SettingsReader& reader = table_.begin(path_);
  mistakes_.clear();
  if (!is_service_name(name())) {
    mistakes_ = text(path_, ": service name '", name(), "' is not 1 to 63 letters, digits, '-' or '_'");
    return;
  }
  reader.belongs_elsewhere(shared_table,
                           "belongs to the whole server: set it in defaults/ or on the command line");
  if (!reader.read_file(path_)) {  // missing settings are not reported as well
    mistakes_ = reader.errors();
    return;
  }
  if (Given* command = reader.find("command"))
    command->values.front() = resolve_command(command->values.front(), path_);
  GivenSettings from_command_line = own;
  for (auto& [setting, given] : from_command_line) given.where += ", " + whose;
  reader.override_with(from_command_line);
  reader.inherit(shared, whose);
  conclude(reader);
}

void ServiceFile::go_by(const GivenSettings& values) {
  SettingsReader& reader = table_.begin(path_);
  reader.restore(values);
  conclude(reader);
}

void ServiceFile::conclude(SettingsReader& reader) {
  check(reader);
  choose_server();
  mistakes_ = reader.errors();
}

void ServiceFile::check(SettingsReader& reader) {
  reader.check();
  reader.store([](const Setting&) { return true; });
  // The child model depends on what the service runs.
  ServiceConfiguration& configuration = settings_.configuration;
  configuration.model = CommandServer().child_model();
  if (settings_.built_in != "none") configuration.model = BuiltIn().child_model();
  check_service(configuration, reader);
}

ServiceConfiguration ServiceFile::scaled(const ScaledSettings& scaled) {
  SettingsReader& reader = table_.begin_with(given_by(scaled, ""));
  check(reader);
  reader.finish();
  return settings_.configuration;
}

void ServiceFile::choose_server() {
  SettingsReader& reader = table_.reader();
  const bool has_command = !settings_.configuration.command.written.empty();
  const bool has_built_in = settings_.built_in != "none";
  if (has_command && has_built_in)
    return reader.blame("built-in", text("built-in = ", settings_.built_in,
                                         " and a command are both set: a service runs only one of them"));
  if (!has_command && !has_built_in) return;  // this was reported by check_service()
  if (!in_force_) {
    built_in_ = has_built_in ? std::make_shared<BuiltIn>() : nullptr;
    server_ = built_in_;
    if (!has_built_in) server_ = std::make_shared<CommandServer>();
  } else if (has_built_in != (built_in_ != nullptr)) {
    reader.blame(has_built_in ? "built-in" : "command",
                 "a change between command and built-in needs a restart, or a file with another name");
  }
}

void ServiceFile::refuse_place_of(const ServiceFile& other) {
  const ListenSpec* place = place_in_both(settings_.configuration, other.settings_.configuration);
  if (place == nullptr) return;
  table_.reader().blame("listen", text("listen = ", place->written, " is the same address as one of service ",
                                       other.name(), " (", other.path(), ")"));
  mistakes_ = table_.reader().errors();
}

WantedService ServiceFile::wanted() const {
  WantedService wanted{.name = name(), .mistakes = mistakes_};
  if (!is_right()) return wanted;
  wanted.configuration = settings_.configuration;
  wanted.server = server_;
  return wanted;
}

std::vector<std::string> ServiceFile::commit(When when) {
  auto waits = table_.commit(when, [](const Setting&) { return true; });
  in_force_ = settings_.configuration;
  if (built_in_) built_in_->become(settings_.built_in);
  return waits;
}

std::string ServiceFile::print() const {
  return print_settings(table_.table, table_.given(), "Settings of service " + name() + ": " + path_);
}

}  // namespace brood
