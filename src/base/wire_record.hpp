// SPDX-License-Identifier: MIT
// One line between two programs of the kit: a word for its kind, and named values.
//
//   child slot=3 pid=4711 note=GET%20/
//
// In a value a blank, '%', '=' and every byte that is not printable ASCII are written as %XX.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace brood {

class WireRecord {
 public:
  explicit WireRecord(std::string kind) : kind_(std::move(kind)) {}
  WireRecord& set(std::string name, std::string_view value);
  WireRecord& set(std::string name, std::integral auto value) {
    return set(std::move(name), std::to_string(value));
  }

  const std::string& kind() const { return kind_; }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  const std::string* find(std::string_view name) const;
  const std::string& operator[](std::string_view name) const;  // throws Error if it is missing
  template <std::integral T>
  T number(std::string_view name) const;  // throws Error if it is missing or does not fit

  std::string line() const;                        // without a newline
  static WireRecord parse(std::string_view line);  // throws Error

 private:
  [[noreturn]] void refuse(std::string_view name, std::string_view why) const;

  std::string kind_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

template <std::integral T>
T WireRecord::number(std::string_view name) const {
  const auto value = parse_number<T>((*this)[name]);
  if (!value) refuse(name, "is not a number that fits");
  return *value;
}

}  // namespace brood
