// SPDX-License-Identifier: MIT
// Reads the files that are converted, and writes those that they become.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

inline constexpr std::string_view shared_file = "defaults/converted.conf";

struct OutputFile {
  std::string name;  // below the directory
  std::string content;
};

std::string read_input(const std::string& path);  // throws Failure

std::vector<OutputFile> files_of(const Conversion& conversion);
// Writes all, or none if one of them exists and `force` is not given. Throws Failure.
void write_files(const std::vector<OutputFile>& files, const std::string& directory, bool force);

}  // namespace brood::ctl
