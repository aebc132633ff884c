// SPDX-License-Identifier: MIT
#include "load/http_answer.hpp"

#include <strings.h>

#include <algorithm>
#include <cstddef>

#include "base/text.hpp"

namespace brood::load {
namespace {

constexpr std::size_t longest_head = 16384;
constexpr std::string_view end_of_line = "\r\n";
constexpr std::string_view end_of_head = "\r\n\r\n";

bool same(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace

void HttpAnswer::clear() { *this = HttpAnswer(); }

HttpAnswer::Progress HttpAnswer::take(std::string_view input) {
  if (!in_body_) {
    if (head_.empty()) status_ = 0;
    const std::size_t known = head_.size();
    head_.append(input);
    const auto end = head_.find(end_of_head, known < end_of_head.size() ? 0 : known - end_of_head.size());
    if (end == std::string::npos)
      return head_.size() > longest_head ? Progress::malformed : Progress::partial;
    if (!parse_head(std::string_view(head_).substr(0, end))) return Progress::malformed;
    input.remove_prefix(end + end_of_head.size() - known);
    head_.clear();
    in_body_ = true;
  }
  // Nobody has asked for more than this answer.
  if (input.size() > body_left_) return Progress::malformed;
  body_left_ -= input.size();
  if (body_left_ > 0) return Progress::partial;
  in_body_ = false;
  return Progress::whole;
}

// "HTTP/1.1 200 OK", and a header a line.
bool HttpAnswer::parse_head(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.";
  constexpr std::size_t status_at = version.size() + 2;
  has_length_ = announces_close_ = false;
  if (!head.starts_with(version) || head.size() < status_at + 3) return false;
  status_ = parse_number<unsigned>(head.substr(status_at, 3)).value_or(0);
  if (status_ < 100 || status_ > 599) return false;
  for (auto end = head.find(end_of_line); end != std::string_view::npos; end = head.find(end_of_line)) {
    head.remove_prefix(end + end_of_line.size());
    if (!parse_header(head.substr(0, head.find(end_of_line)))) return false;
  }
  return has_length_;
}

bool HttpAnswer::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  if (same(name, "content-length")) {
    const auto length = parse_number<std::uint64_t>(value);
    has_length_ = true;
    body_left_ = length.value_or(0);
    return length.has_value();
  }
  if (same(name, "connection")) announces_close_ = same(value, "close");
  return true;
}

}  // namespace brood::load
