// SPDX-License-Identifier: MIT
// Text helpers: join values into a message, split and trim, escape, parse a number, find a similar word.
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

inline void append_text(std::string& out, std::string_view text) { out += text; }
inline void append_text(std::string& out, char character) { out += character; }
inline void append_text(std::string& out, std::integral auto number) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(std::begin(digits), end);
}
// For people, at most seven characters: three digits below a minute ("250ms", "1.53s"), else two units
// ("1m30s", "2h", "12d04h"). "0" if it is negative. base/text/duration.hpp writes and reads exact durations.
void append_text(std::string& out, std::chrono::nanoseconds duration);

// text("child ", pid, " left") -> "child 17 left"
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (append_text(out, parts), ...);
  return out;
}

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator = "\n");

// The message of the exception that is being handled.
std::string what_was_thrown();

// Writes control characters as \xNN, so that what a peer sent cannot forge a line of the log. Keep::ascii:
// writes all bytes but printable ASCII so.
enum class Keep { text, ascii };
std::string escape(std::string_view text, Keep keep = Keep::text);

// The whole word as a number. Empty: the word is not a number, or it does not fit into T.
template <std::integral T>
std::optional<T> parse_number(std::string_view word, int base = 10) {
  T value{};
  const char* const end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, value, base);
  if (result.ec != std::errc{} || result.ptr != end) return {};
  return value;
}

// The candidate with the smallest edit distance to `word`, or "" if none is similar.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// "; did you mean 'max-clients'?", or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace brood
