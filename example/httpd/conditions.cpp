// SPDX-License-Identifier: MIT
#include "conditions.hpp"

#include <array>
#include <charconv>
#include <string_view>

#include "http_date.hpp"

namespace httpd {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(" \t,"), text.size());
  text.remove_prefix(first);
  return text;
}

// `weakly`: W/"x" matches "x". If the text is no list of tags, nothing matches.
bool has_tag(std::string_view list, std::string_view tag, bool weakly) {
  for (list = trimmed(list); !list.empty(); list = trimmed(list)) {
    if (list.front() == '*') return true;
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    const auto end = list.find('"', 1);
    if (list.front() != '"' || end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == tag && (weakly || !weak)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

Version version_of(std::uint64_t size, const timespec& modified) {
  std::array<char, 64> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is used is written
  char* end = text.data();
  *end++ = '"';
  for (const auto number :
       {size, static_cast<std::uint64_t>(modified.tv_sec), static_cast<std::uint64_t>(modified.tv_nsec)}) {
    if (end != text.data() + 1) *end++ = '-';
    end = std::to_chars(end, text.data() + text.size() - 2, number, 16).ptr;
  }
  *end++ = '"';
  return {.tag = {text.data(), end}, .modified = modified.tv_sec};
}

Verdict judge(const Request& request, const Version& version) {
  if (!request.if_match.empty()) {
    if (!has_tag(request.if_match, version.tag, false)) return Verdict::failed;
  } else if (!request.if_unmodified_since.empty()) {
    const auto since = parse_http_date(request.if_unmodified_since);
    if (since && version.modified > *since) return Verdict::failed;
  }
  if (!request.if_none_match.empty())
    return has_tag(request.if_none_match, version.tag, true) ? Verdict::not_modified : Verdict::give;
  if (!request.if_modified_since.empty()) {
    const auto since = parse_http_date(request.if_modified_since);
    if (since && version.modified <= *since) return Verdict::not_modified;
  }
  return Verdict::give;
}

bool range_still_fits(const Request& request, const Version& version) {
  const std::string& condition = request.if_range;
  return condition.empty() || condition == version.tag || parse_http_date(condition) == version.modified;
}

}  // namespace httpd
