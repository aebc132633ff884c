// SPDX-License-Identifier: MIT
// Lines of inetd.conf and master.cf: one that begins with a blank continues the one before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brood::ctl {

struct LogicalLine {
  std::string place;  // of its beginning: "inetd.conf:12"
  std::string content;
};

// Without empty lines and comments.
std::vector<LogicalLine> logical_lines(std::string_view content, const std::string& file);

}  // namespace brood::ctl
