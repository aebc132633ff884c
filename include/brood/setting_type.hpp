// SPDX-License-Identifier: MIT
// How one value of a setting is written. Settings has a function for each of the kit's types; value() and
// list() take these, and types of your own. Parent only.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood {

template <typename T>
struct SettingType {
  std::string kind;  // for people: "number from 1 to 65536"
  // Makes the value of one word. An exception says what is wrong with it: "is not a colour".
  std::function<T(const std::string& word)> read;
  std::function<std::string(const T& value)> write;  // so that read() makes the same value of it
  bool flag = false, path = false;                   // as in Setting
};

SettingType<std::string> text_type();
// A relative path is one from the directory in which the server runs; read() makes it absolute. "" stays.
SettingType<std::string> path_type();
SettingType<bool> flag_type();  // yes/no, true/false, on/off, 1/0
SettingType<std::string> choice_type(std::vector<std::string> choices);

// Values in these bounds. A whole number without a sign ...
SettingType<unsigned> type_between(unsigned lowest, unsigned highest);
// ... one with a sign, for int, long and long long ...
template <std::signed_integral T>
requires(sizeof(T) >= sizeof(int)) SettingType<T> type_between(T lowest, T highest);
// ... a number with a fraction, which is finite: "0.75", "-2", "1e6" ...
SettingType<double> type_between(double lowest, double highest);
// ... a time with its unit: "250ms", "30s", "5m", "1h"; 0 needs none ...
SettingType<std::chrono::milliseconds> type_between(std::chrono::milliseconds lowest,
                                                    std::chrono::milliseconds highest);
// ... and bytes, also with a unit: "64K", "10M", "1G" (of 1024, 1024 K and 1024 M).
SettingType<std::uint64_t> type_between(std::uint64_t lowest, std::uint64_t highest);

// One of several words, each with its value: {{"fast", Mode::fast}, {"slow", Mode::slow}}.
template <typename E>
using EnumWords = std::vector<std::pair<std::string, E>>;

// The place of the word in `words`.
SettingType<std::size_t> index_type(std::vector<std::string> words);

template <typename E>
requires std::is_enum_v<E> SettingType<E> choice_type(const EnumWords<E>& words) {
  std::vector<std::string> names;
  std::vector<E> values;
  for (const auto& [name, value] : words) {
    names.push_back(name);
    values.push_back(value);
  }
  const SettingType<std::size_t> index = index_type(std::move(names));
  return {.kind = index.kind,
          .read = [values, read = index.read](const std::string& word) { return values[read(word)]; },
          .write =
              [values, write = index.write](const E& value) {
                std::size_t at = 0;
                while (at < values.size() && values[at] != value) ++at;
                return write(at);
              }};
}

}  // namespace brood
