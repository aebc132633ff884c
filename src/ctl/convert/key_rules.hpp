// SPDX-License-Identifier: MIT
// Tables of foreign keys. A key is translated by its row, so a new setting of ours needs one changed row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

enum class KeyForm {
  as_written,  // the value as it is
  count,       // a number
  seconds,     // a number of seconds, or a duration of theirs: 90, 90s, 5m, 2h, 1d, 1w
  bytes,       // a number; -1: unlimited
  nothing,     // nothing is missing without it
  lost,        // ours has nothing like it
  used,        // the reader of the format takes it
};

struct KeyRule {
  std::string_view key;
  KeyForm form;
  std::string_view setting;  // of ours; "": none
  std::string_view why;      // nothing, lost
  // Lost: a value with which nothing is lost, beside "0", "no" and others.
  std::string_view neutral = {};
};

struct KeyValue {
  std::string key, value, place;
};

const KeyRule* find_rule(std::span<const KeyRule> rules, std::string_view key);
// Adds to the draft what the rule says. False: the value is not of the form.
bool apply(const KeyRule& rule, const KeyValue& given, Draft& draft);

// A duration of theirs in the form of ours. Empty: it is none.
std::string as_duration(std::string_view written);

}  // namespace brood::ctl
