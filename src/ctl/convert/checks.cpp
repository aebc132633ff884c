// SPDX-License-Identifier: MIT
// What brood --test-config would refuse.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "base/address.hpp"
#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"
#include "ctl/convert/draft.hpp"

namespace brood::ctl {
namespace {

using std::chrono::milliseconds;

// As in the table of settings (src/settings/service_settings.cpp).
struct Bounds {
  std::string_view setting;
  std::uint64_t lowest, highest;
};
constexpr std::array numbers = {
    Bounds{"listen-backlog", 1, 65'535},    Bounds{"start-servers", 0, 32'768},
    Bounds{"min-spare-servers", 0, 32'768}, Bounds{"max-spare-servers", 1, 32'768},
    Bounds{"max-clients", 1, 32'768},       Bounds{"max-requests-per-child", 0, 1'000'000'000},
    Bounds{"threads-per-child", 1, 1024},   Bounds{"limit-core", 0, std::uint64_t{1} << 50U},
};
constexpr std::array<std::string_view, 5> durations = {"idle-timeout", "connection-timeout",
                                                       "connection-idle-timeout", "graceful-timeout",
                                                       "max-lifetime-per-child"};
constexpr milliseconds longest{std::chrono::hours(24 * 30)};

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
  if (setting == "name" && (value.size() > 63 || value.find('/') != std::string::npos))
    return "it is not 1 to 63 bytes without '/'";
  if (value == "unlimited") return "";
  if (const auto bounds = std::ranges::find(numbers, setting, &Bounds::setting); bounds != numbers.end()) {
    const auto number = parse_number<std::uint64_t>(value);
    if (!number || *number < bounds->lowest || *number > bounds->highest)
      return text(setting, " = ", value, " is not from ", bounds->lowest, " to ", bounds->highest);
  }
  try {
    if (std::ranges::find(durations, setting) != durations.end())
      parse_duration(value, milliseconds(0), longest);
    if (setting == "listen") parse_listen(value);
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

}  // namespace

void check_on(const Machine& machine, Conversion& conversion) {
  for (Draft& service : conversion.services) {
    for (const auto& [setting, value] : service.settings)
      if (const std::string wrong = wrong_value(machine, setting, value); !wrong.empty())
        service.turn_off(wrong);
    if (service.off.empty()) check_addresses(service);
  }
  // A mistake in defaults/ would concern all services.
  std::erase_if(conversion.shared.settings, [&](const auto& setting) {
    const std::string wrong = wrong_value(machine, setting.first, setting.second);
    if (!wrong.empty()) conversion.shared.lose(setting.first, setting.second, wrong);
    return !wrong.empty();
  });
}

}  // namespace brood::ctl
