// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cmath>

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"
#include "brood/setting_type.hpp"
#include "settings/size.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

std::string write_real(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

template <typename T>
T within(T value, T lowest, T highest, const auto& write) {
  if (value < lowest) throw ConfigurationError("is below " + write(lowest));
  if (value > highest) throw ConfigurationError("is above " + write(highest));
  return value;
}

template <std::integral T>
std::string write_whole(T value) {
  return text(value);
}

std::int64_t read_integer(const std::string& word, std::int64_t lowest, std::int64_t highest) {
  const bool negative = word.starts_with('-');
  const auto digits = parse_digits(std::string_view(word).substr(negative ? 1 : 0));
  if (!digits) throw ConfigurationError("is not a whole number");
  constexpr std::uint64_t most = INT64_MAX;
  if (*digits > most + (negative ? 1 : 0))  // beyond every bound
    throw ConfigurationError(negative ? text("is below ", lowest) : text("is above ", highest));
  const std::int64_t value =
      negative ? -static_cast<std::int64_t>(*digits - 1) - 1 : static_cast<std::int64_t>(*digits);
  return within(value, lowest, highest, write_whole<std::int64_t>);
}

double read_real(const std::string& word, double lowest, double highest) {
  double value = 0;
  const char* const end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, value);
  if (result.ec == std::errc::result_out_of_range)
    throw ConfigurationError("is too large, or too close to 0, for a number with a fraction");
  if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(value))
    throw ConfigurationError("is not a number like 3, 0.75 or 1e6");
  return within(value, lowest, highest, write_real);
}

std::string absolute(const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  std::array<char, PATH_MAX> directory{};
  if (::getcwd(directory.data(), directory.size()) == nullptr)
    throw SystemError("is relative to a directory that is not known", errno, ExitCode::configuration);
  std::string whole = directory.data();
  if (!whole.ends_with('/')) whole += '/';
  return whole + (path.starts_with("./") ? path.substr(2) : path);
}

bool read_flag(const std::string& word) {
  for (const char* yes : {"yes", "true", "on", "1"})
    if (word == yes) return true;
  for (const char* no : {"no", "false", "off", "0"})
    if (word == no) return false;
  throw ConfigurationError("is neither yes nor no");
}

std::string as_written(const std::string& value) { return value; }

}  // namespace

SettingType<std::string> text_type() { return {.kind = "text", .read = as_written, .write = as_written}; }

SettingType<std::string> path_type() {
  return {.kind = "path", .read = absolute, .write = as_written, .path = true};
}

SettingType<bool> flag_type() {
  return {.kind = "yes or no",
          .read = read_flag,
          .write = [](bool value) { return value ? "yes" : "no"; },
          .flag = true};
}

SettingType<std::size_t> index_type(std::vector<std::string> words) {
  std::string kind;
  for (const auto& word : words)
    kind += (kind.empty() ? "" : (&word == &words.back() ? " or " : ", ")) + word;
  const auto read = [words, kind](const std::string& word) {
    const auto found = std::ranges::find(words, word);
    if (found == words.end()) throw ConfigurationError("is not one of " + kind);
    return static_cast<std::size_t>(found - words.begin());
  };
  const auto write = [words, kind](std::size_t index) {
    if (index >= words.size()) throw Error("the default is not one of " + kind);
    return words[index];
  };
  return {.kind = kind, .read = read, .write = write};
}

SettingType<std::string> choice_type(std::vector<std::string> choices) {
  const SettingType<std::size_t> index = index_type(std::move(choices));
  const auto read = [index](const std::string& word) { return index.write(index.read(word)); };
  return {.kind = index.kind, .read = read, .write = as_written};
}

SettingType<unsigned> type_between(unsigned lowest, unsigned highest) {
  return {.kind = text("number from ", lowest, " to ", highest),
          .read =
              [=](const std::string& word) {
                const auto value = parse_digits(word);
                if (!value) throw ConfigurationError("is not a whole number without a sign");
                return static_cast<unsigned>(
                    within<std::uint64_t>(*value, lowest, highest, write_whole<std::uint64_t>));
              },
          .write = write_whole<unsigned>};
}

template <std::signed_integral T>
requires(sizeof(T) >= sizeof(int)) SettingType<T> type_between(T lowest, T highest) {
  return {
      .kind = text("number from ", lowest, " to ", highest),
      .read = [=](const std::string& word) { return static_cast<T>(read_integer(word, lowest, highest)); },
      .write = write_whole<T>};
}
template SettingType<int> type_between(int, int);
template SettingType<long> type_between(long, long);
template SettingType<long long> type_between(long long, long long);

SettingType<double> type_between(double lowest, double highest) {
  return {.kind = text("number with a fraction from ", write_real(lowest), " to ", write_real(highest)),
          .read = [=](const std::string& word) { return read_real(word, lowest, highest); },
          .write = write_real};
}

SettingType<milliseconds> type_between(milliseconds lowest, milliseconds highest) {
  return {.kind = "duration",
          .read = [=](const std::string& word) { return parse_duration(word, lowest, highest); },
          .write = write_duration};
}

SettingType<std::uint64_t> type_between(std::uint64_t lowest, std::uint64_t highest) {
  return {.kind = "size",
          .read = [=](const std::string& word) { return parse_size(word, lowest, highest); },
          .write = write_size};
}

}  // namespace brood
