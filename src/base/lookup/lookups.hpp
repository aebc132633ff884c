// SPDX-License-Identifier: MIT
// What a program learns from outside itself, and what may take any time: the content of files and
// directories, programs, users and groups, names of hosts. Everything of that kind that settings need goes
// through look_up(), so that one process can do it and write it down, and another one repeats it from what
// was written, without waiting for anything.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/wire_record.hpp"

namespace brood {

// The outcomes of look-ups: values, or what was thrown.
class Lookups {
 public:
  Lookups() = default;
  explicit Lookups(std::string_view records);  // throws Error
  std::string records() const;                 // one a line

  void add(std::string_view kind, std::string_view key, std::string_view value);
  void add_failure(std::string_view kind, std::string_view key);  // in a handler: of what it has caught
  // Throws what was thrown, or Error if it was not looked up.
  std::string repeat(std::string_view kind, std::string_view key) const;

 private:
  using Key = std::pair<std::string, std::string>;
  std::map<Key, WireRecord> known_;
};

// While it exists, look_up() adds each outcome to `to`.
class RecordLookups {
 public:
  explicit RecordLookups(Lookups& to);
  ~RecordLookups();
  RecordLookups(const RecordLookups&) = delete;
  RecordLookups& operator=(const RecordLookups&) = delete;
};

// While it exists, look_up() answers from `known` alone, which outlives it.
class RepeatLookups {
 public:
  explicit RepeatLookups(const Lookups& known);
  ~RepeatLookups();
  RepeatLookups(const RepeatLookups&) = delete;
  RepeatLookups& operator=(const RepeatLookups&) = delete;

 private:
  const Lookups* const outer_;
};

// Calls `live`, or repeats what came of it in another process. Throws what `live` throws: an Error of the
// same text and code. `kind` and `key` name what is looked up.
std::string look_up(std::string_view kind, std::string_view key, const std::function<std::string()>& live);

}  // namespace brood
