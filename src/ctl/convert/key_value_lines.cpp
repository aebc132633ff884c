// SPDX-License-Identifier: MIT
#include "ctl/convert/key_value_lines.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace brood::ctl {

std::string KeyValueLines::find(std::string_view key) const {
  const auto found = std::ranges::find(values, key, &KeyValue::key);
  return found == values.end() ? "" : found->value;
}

KeyValueLines key_value_lines(std::string_view content, const std::string& file, Comments comments,
                              Repeated repeated) {
  KeyValueLines lines;
  std::size_t number = 0;
  for (auto line : split(content, '\n')) {
    const std::string place = text(file, ':', ++number);
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) {
      lines.others.push_back({std::string(line), "", place});
      continue;
    }
    auto value = line.substr(equals + 1);
    if (comments == Comments::also_behind_values) value = value.substr(0, value.find('#'));
    KeyValue given{std::string(trim(line.substr(0, equals))), std::string(trim(value)), place};
    const auto before = std::ranges::find(lines.values, given.key, &KeyValue::key);
    if (before == lines.values.end())
      lines.values.push_back(std::move(given));
    else if (repeated == Repeated::last_counts)
      *before = std::move(given);
  }
  return lines;
}

}  // namespace brood::ctl
