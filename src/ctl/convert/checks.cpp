// SPDX-License-Identifier: MIT
// What brood --test-config would refuse.
#include <algorithm>
#include <filesystem>

#include "base/address.hpp"
#include "base/service/own_settings.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/convert/draft.hpp"
#include "settings/configuration.hpp"
#include "settings/service_command_settings.hpp"

namespace brood::ctl {
namespace {

// A service's file as brood reads it, but for built-in. The machine is asked by Machine instead.
class ServiceFile {
 public:
  ServiceFile() {
    add_service_settings(table_, service_);
    add_parent_settings(table_, parent_);
  }
  ServiceFile(const ServiceFile&) = delete;
  ServiceFile& operator=(const ServiceFile&) = delete;

  bool knows(std::string_view setting) const { return table_.find(setting) != nullptr; }

  // The first mistake in these settings; "": there is none. `shared`: what a service inherits; nullptr: it is
  // no service, and each value is looked at alone.
  std::string mistake(const Draft& draft, const Draft* shared = nullptr) {
    SettingsReader reader(table_);
    reader.restore(given_by(draft));
    if (shared != nullptr) reader.inherit(given_by(*shared));
    reader.check();
    reader.stores(true)();
    if (shared != nullptr) check_limits(in_effect(service_).limits, reader);
    const std::string all = reader.errors();
    return all.substr(0, all.find('\n'));
  }

 private:
  GivenSettings given_by(const Draft& draft) const {
    GivenSettings given;
    for (const auto& [name, value] : draft.settings)
      if (const Setting* const setting = table_.find(name); setting != nullptr) {
        const NameAndValue kept = as_kept(*setting, value);
        given[kept.name].values.push_back(kept.value);
      }
    return given;
  }

  ServiceConfiguration service_{
      "", {.work = WorkKind::any, .many_connections = true, .threads = true, .command = true}, true};
  Configuration parent_;
  Settings table_;
};

// The path of the program that a value of "command" begins with.
std::string program_of(const std::string& command) {
  std::string program;
  for (std::size_t at = 0; at < command.size() && command[at] != ' '; ++at) {
    if (command[at] == '\\' && at + 1 < command.size()) ++at;
    program += command[at];
  }
  return program;
}

std::string missing(const char* what, const std::string& name) {
  return text("there is no ", what, ' ', name, " here");
}

// What is wrong with it; "": nothing.
std::string wrong_value(const Machine& machine, const std::string& setting, const std::string& value) {
  if (setting == "command" && !machine.can_execute(program_of(value)))
    return missing("program", program_of(value));
  if (setting == "user" && !machine.has_user(value)) return missing("user", value);
  if (setting == "group" && !machine.has_group(value)) return missing("group", value);
  if (setting == "working-directory" && !machine.has_directory(value)) return missing("directory", value);
  if (setting == "log" || setting == "pid-file") {
    const std::string directory = std::filesystem::path(value).parent_path();
    if (!directory.empty() && !machine.has_directory(directory)) return missing("directory", directory);
  }
  if (setting == "name" && !is_server_name(value)) return "it is not 1 to 63 bytes without '/'";
  if (setting == "listen") try {
      parse_listen(value);
    } catch (const Error& error) {
      return text(setting, " = ", value, ' ', error.what());
    }
  return "";
}

void check_addresses(Draft& service) {
  const std::string* const gets = service.find("command-gets");
  const bool connections = service.find("built-in") != nullptr || (gets != nullptr && *gets == "connection");
  std::vector<ListenSpec> specs;
  for (const auto& [setting, value] : service.settings) {
    if (setting != "listen") continue;
    const ListenSpec spec = parse_listen(value);
    if (std::ranges::any_of(specs, [&](const ListenSpec& other) { return same_place(spec, other); }))
      service.turn_off(text("listen = ", value, " is there twice"));
    if (connections && spec.brings() != WorkKind::connections)
      service.turn_off(text("listen = ", value, " brings no connections"));
    specs.push_back(spec);
  }
}

// What brood would say of a program's own setting; "": nothing.
std::string wrong_own(const Draft& service, const std::string& key, const std::string& value) {
  try {
    check_own_setting(text(key, '=', value));
  } catch (const Error& error) {
    return error.what();
  }
  if (!service.own_are_variables() && ServiceFile().knows(key))
    return "brood has a setting of this name: give the program's another one";
  return "";
}

void check_own(Draft& service) {
  std::vector<std::string> kept;
  std::erase_if(service.own, [&](const auto& setting) {
    const auto& [key, value] = setting;
    std::string wrong = wrong_own(service, key, value);
    if (wrong.empty() && std::ranges::find(kept, key) != kept.end())
      wrong = "another key has the same name here";
    if (wrong.empty())
      kept.push_back(key);
    else
      service.lose(key, value, wrong);
    return !wrong.empty();
  });
}

}  // namespace

void check_on(const Machine& machine, Conversion& conversion) {
  // A mistake in defaults/ would concern all services.
  std::erase_if(conversion.shared.settings, [&](const auto& setting) {
    const auto& [name, value] = setting;
    Draft alone;
    alone.set(name, value);
    std::string wrong = wrong_value(machine, name, value);
    if (wrong.empty()) wrong = ServiceFile().mistake(alone);
    if (!wrong.empty()) conversion.shared.lose(name, value, wrong);
    return !wrong.empty();
  });
  for (Draft& service : conversion.services) {
    for (const auto& [setting, value] : service.settings)
      if (const std::string wrong = wrong_value(machine, setting, value); !wrong.empty())
        service.turn_off(wrong);
    if (service.off.empty()) check_addresses(service);
    check_own(service);
    if (const std::string wrong = ServiceFile().mistake(service, &conversion.shared); !wrong.empty())
      service.turn_off(wrong);
  }
}

}  // namespace brood::ctl
