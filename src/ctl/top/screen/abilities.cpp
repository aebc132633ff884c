// SPDX-License-Identifier: MIT
#include "ctl/top/screen/abilities.hpp"

#include <langinfo.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>

namespace brood::ctl {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

unsigned colours_of(const Environment& environment) {
  const std::string_view term = environment.term;
  if (!environment.no_color.empty()) return 0;  // no-color.org: whatever its value is
  if (term.starts_with("vt") || term.ends_with("-m") || term.ends_with("-mono")) return 0;
  return contains(term, "256") || contains(term, "direct") || !environment.colorterm.empty() ? 256 : 16;
}

}  // namespace

Environment Environment::of_this_process() {
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe)
  return {.term = variable("TERM"),
          .colorterm = variable("COLORTERM"),
          .no_color = variable("NO_COLOR"),
          .codeset = ::nl_langinfo(CODESET)};  // NOLINT(concurrency-mt-unsafe)
}

Abilities abilities_of(const Environment& environment, std::string_view color) {
  const std::string_view term = environment.term;
  Abilities abilities{.screen = !term.empty() && term != "dumb" && term != "unknown",
                      .colours = color == "256"  ? 256U
                                 : color == "16" ? 16U
                                                 : 0U,
                      .utf8 = environment.codeset == "UTF-8"};
  if (color.empty() || color == "auto") abilities.colours = abilities.screen ? colours_of(environment) : 0;
  return abilities;
}

bool is_color(std::string_view word) {
  constexpr std::array words = {std::string_view(), std::string_view("auto"), std::string_view("none"),
                                std::string_view("16"), std::string_view("256")};
  return std::ranges::find(words, word) != words.end();
}

}  // namespace brood::ctl
