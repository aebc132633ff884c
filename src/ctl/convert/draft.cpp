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
constexpr std::string_view prefix_of_variables = "SETTING_";  // a key may be "path"

}  // namespace

const std::string* Draft::find(std::string_view setting) const {
  const auto found = std::ranges::find(settings, setting, &std::pair<std::string, std::string>::first);
  return found == settings.end() ? nullptr : &found->second;
}

void Draft::hand_on(std::string_view key, std::string value) {
  std::string translated;
  for (const char c : key)
    translated += c == '_' || c == '.' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  own.emplace_back(std::move(translated), std::move(value));
}

void Draft::choose_how_own_are_given() {
  const std::string* const gets = find("command-gets");
  if (own.empty() || gets == nullptr || *gets == "slot") return;
  set("settings-as", "environment");
  set("settings-prefix", std::string(prefix_of_variables));
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

}  // namespace brood::ctl
