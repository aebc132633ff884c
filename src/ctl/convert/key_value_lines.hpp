// SPDX-License-Identifier: MIT
// Lines of the form `key = value`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/convert/key_rules.hpp"

namespace brood::ctl {

enum class Comments { whole_lines, also_behind_values };
enum class Repeated { first_counts, last_counts };

struct KeyValueLines {
  std::vector<KeyValue> values;
  // Lines that have no "=", with their places.
  std::vector<KeyValue> others;

  // The value that counts; "": there is none.
  std::string find(std::string_view key) const;
};

KeyValueLines key_value_lines(std::string_view content, const std::string& file, Comments comments,
                              Repeated repeated);

}  // namespace brood::ctl
