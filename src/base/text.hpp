// SPDX-License-Identifier: MIT
// Small pieces of text: values joined into a message, names looked up, distances between words.
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
void append_text(std::string& out, std::chrono::nanoseconds duration);  // "250ms", "1.5s", "2m"

// text("child ", pid, " left") -> "child 17 left"
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (append_text(out, parts), ...);
  return out;
}

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& lines);  // with newlines between them

// Of the exception that is being handled.
std::string what_was_thrown();

// Control characters, and what could be taken for them, become \xNN: what a peer sent can't forge a line.
std::string escape(std::string_view text);

// The whole word as a number; empty: it is none, or none that fits.
template <std::integral T>
std::optional<T> parse_number(std::string_view word, int base = 10) {
  T value{};
  const char* const end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, value, base);
  if (result.ec != std::errc{} || result.ptr != end) return {};
  return value;
}

// The candidate that is nearest to `word` by edit distance, or "" where none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// "; did you mean 'max-clients'?", or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace brood
