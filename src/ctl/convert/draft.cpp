// SPDX-License-Identifier: MIT
#include "ctl/convert/draft.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "base/text.hpp"

namespace brood::ctl {
namespace {

constexpr std::size_t longest_name = 63;

// The path of the program that a value of "command" begins with.
std::string program_of(const std::string& command) {
  std::string program;
  for (std::size_t at = 0; at < command.size() && command[at] != ' '; ++at) {
    if (command[at] == '\\' && at + 1 < command.size()) ++at;
    program += command[at];
  }
  return program;
}

void check_service(const Machine& machine, Draft& service) {
  for (const auto& [setting, value] : service.settings) {
    if (setting == "command" && !machine.can_execute(program_of(value)))
      service.turn_off(text("there is no program ", program_of(value), " here"));
    if (setting == "user" && !machine.has_user(value))
      service.turn_off(text("there is no user ", value, " here"));
    if (setting == "group" && !machine.has_group(value))
      service.turn_off(text("there is no group ", value, " here"));
    if (setting == "working-directory" && !machine.has_directory(value))
      service.turn_off(text("there is no directory ", value, " here"));
  }
}

}  // namespace

const std::string* Draft::find(std::string_view setting) const {
  const auto found = std::ranges::find(settings, setting, &std::pair<std::string, std::string>::first);
  return found == settings.end() ? nullptr : &found->second;
}

std::optional<unsigned> port_of(const Machine& machine, const std::string& written,
                                const std::string& protocol) {
  if (const auto number = parse_number<unsigned>(written))
    return *number <= 65'535 ? number : std::optional<unsigned>();
  return machine.port(written, protocol);
}

std::string stem(std::string_view path) { return std::filesystem::path(path).stem(); }

std::string service_name(std::string_view written) {
  std::string name;
  for (const char c : written) {
    const bool usable = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    if (usable)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "service" : name.substr(0, longest_name);
}

void make_names_unique(std::vector<Draft>& services) {
  std::set<std::string> taken;
  for (Draft& service : services) {
    const std::string wanted = service.name;
    for (unsigned number = 2; !taken.insert(service.name).second; ++number) {
      const std::string suffix = text('-', number);
      service.name = wanted.substr(0, longest_name - suffix.size()) + suffix;
    }
  }
}

void check_on(const Machine& machine, Conversion& conversion) {
  for (Draft& service : conversion.services) check_service(machine, service);
  // A mistake in defaults/ would concern all services.
  std::erase_if(conversion.shared.settings, [&](const auto& setting) {
    if (setting.first != "log" && setting.first != "pid-file") return false;
    const std::string directory = std::filesystem::path(setting.second).parent_path();
    if (!setting.second.starts_with('/') || machine.has_directory(directory)) return false;
    conversion.shared.lose(setting.first, setting.second, text("there is no directory ", directory, " here"));
    return true;
  });
}

}  // namespace brood::ctl
