// SPDX-License-Identifier: MIT
// How the fields of one record are written and read, by the same call: `fields("name", variable)`.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/wire_record.hpp"
#include "brood/error.hpp"
#include "listen/listener.hpp"
#include "pool/escalation.hpp"

namespace brood {

struct FieldWriter {
  WireRecord& record;

  void operator()(const char* name, std::string_view value) { record.set(name, value); }
  void operator()(const char* name, std::integral auto value) { record.set(name, +value); }
  void operator()(const char* name, Time value) { record.set(name, to_nanoseconds(value)); }
  void operator()(const char* name, Clock::duration value) { (*this)(name, Time(value)); }
  void operator()(const char* name, Escalation value) { record.set(name, static_cast<int>(value)); }
  void operator()(const char* name, const ListenSpec& value) { record.set(name, value.written); }
  void operator()(const char* name, const std::optional<std::uint32_t>& value) { record.set(name, *value); }
  void each(const char* name, const std::vector<std::string>& values) {
    for (const auto& value : values) record.set(name, value);
  }
  void numbers(const char* name, const auto& values) {
    for (const auto value : values) record.set(name, value);
  }
  // A field that is written only if it isn't `absent`.
  template <typename Value>
  void unless(const Value& absent, const char* name, const Value& value) {
    if (value != absent) (*this)(name, value);
  }
  // Whether fields of which `name` is one are there.
  bool present(const char* /*name*/, bool flag) { return flag; }
};

struct FieldReader {
  const WireRecord& record;

  void operator()(const char* name, std::string& value) { value = record[name]; }
  template <std::integral Number>
  void operator()(const char* name, Number& value) {
    value = record.number<Number>(name);
  }
  void operator()(const char* name, bool& value) { value = record.number<int>(name) != 0; }
  void operator()(const char* name, Time& value) {
    value = from_nanoseconds(record.number<std::int64_t>(name));
  }
  void operator()(const char* name, Clock::duration& value) {
    value = from_nanoseconds(record.number<std::int64_t>(name)).time_since_epoch();
  }
  void operator()(const char* name, Escalation& value) {
    const int number = record.number<int>(name);
    if (number < 0 || number > static_cast<int>(Escalation::lost))
      throw Error(text("record '", record.kind(), "': ", std::string_view(name), " is unknown"));
    value = static_cast<Escalation>(number);
  }
  void operator()(const char* name, ListenSpec& value) { value = parse_listen(record[name]); }
  void operator()(const char* name, std::optional<std::uint32_t>& value) { (*this)(name, value.emplace()); }
  void each(const char* name, std::vector<std::string>& values) {
    for (const auto& [field, value] : record.fields())
      if (field == name) values.push_back(value);
  }
  // Other versions may have more or fewer.
  void numbers(const char* name, auto& values) {
    std::vector<std::string> written;
    each(name, written);
    if (written.empty()) throw Error(text("record '", record.kind(), "' has no ", std::string_view(name)));
    for (std::size_t i = 0; i < std::min(written.size(), values.size()); ++i)
      values[i] = parse_number<std::uint64_t>(written[i]).value_or(0);
  }
  template <typename Value>
  void unless(const Value& /*absent*/, const char* name, Value& value) {
    if (record.find(name) != nullptr) (*this)(name, value);
  }
  bool present(const char* name, bool& flag) { return flag = record.find(name) != nullptr; }
};

}  // namespace brood
