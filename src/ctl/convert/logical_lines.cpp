// SPDX-License-Identifier: MIT
#include "ctl/convert/logical_lines.hpp"

#include "base/text.hpp"

namespace brood::ctl {

std::vector<LogicalLine> logical_lines(std::string_view content, const std::string& file) {
  std::vector<LogicalLine> lines;
  std::size_t number = 0;
  for (const auto line : split(content, '\n')) {
    ++number;
    const auto words = trim(line);
    if (words.empty() || words.front() == '#') continue;
    const bool continues = line.front() == ' ' || line.front() == '\t';
    if (continues && !lines.empty())
      lines.back().content += ' ' + std::string(words);
    else
      lines.push_back({text(file, ':', number), std::string(words)});
  }
  return lines;
}

}  // namespace brood::ctl
