// SPDX-License-Identifier: MIT
#include "base/lookup/lookups.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

Lookups* recorded_in = nullptr;
const Lookups* repeated_from = nullptr;

WireRecord record_of(std::string_view kind, std::string_view key) {
  return WireRecord("lookup").set("kind", kind).set("key", key);
}

[[noreturn]] void fail_again(const WireRecord& record, const std::string& why) {
  const auto code = static_cast<ExitCode>(record.number<int>("code"));
  if (code == ExitCode::configuration) throw ConfigurationError(why);
  throw Error(why, code);
}

}  // namespace

Lookups::Lookups(std::string_view records) {
  for (const auto line : split(records, '\n')) {
    if (line.empty()) continue;
    WireRecord record = WireRecord::parse(line);
    const Key key{record["kind"], record["key"]};
    known_.insert_or_assign(key, std::move(record));
  }
}

std::string Lookups::records() const {
  std::string all;
  for (const auto& [key, record] : known_) all += record.line() + '\n';
  return all;
}

void Lookups::add(std::string_view kind, std::string_view key, std::string_view value) {
  known_.insert_or_assign(Key{kind, key}, record_of(kind, key).set("value", value));
}

void Lookups::add_failure(std::string_view kind, std::string_view key) {
  auto code = ExitCode::software;
  std::string why;
  try {
    throw;
  } catch (const Error& error) {
    code = error.code();
    why = error.what();
  } catch (...) {
    why = what_was_thrown();
  }
  known_.insert_or_assign(Key{kind, key},
                          record_of(kind, key).set("failure", why).set("code", static_cast<int>(code)));
}

std::string Lookups::repeat(std::string_view kind, std::string_view key) const {
  const auto found = known_.find(Key{kind, key});
  if (found == known_.end())
    throw Error(text(kind, ' ', escape(key), " was not looked up: try again"), ExitCode::sick);
  const WireRecord& record = found->second;
  if (const std::string* const why = record.find("failure")) fail_again(record, *why);
  return record["value"];
}

RecordLookups::RecordLookups(Lookups& to) { recorded_in = &to; }
RecordLookups::~RecordLookups() { recorded_in = nullptr; }

RepeatLookups::RepeatLookups(const Lookups& known) : outer_(std::exchange(repeated_from, &known)) {}
RepeatLookups::~RepeatLookups() { repeated_from = outer_; }

std::string look_up(std::string_view kind, std::string_view key, const std::function<std::string()>& live) {
  if (repeated_from != nullptr) return repeated_from->repeat(kind, key);
  if (recorded_in == nullptr) return live();
  try {
    std::string value = live();
    recorded_in->add(kind, key, value);
    return value;
  } catch (...) {
    recorded_in->add_failure(kind, key);
    throw;
  }
}

}  // namespace brood
