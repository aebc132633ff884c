// SPDX-License-Identifier: MIT
#include "base/wire_record.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

std::string encode(std::string_view value) {
  std::string line;
  for (const char c : value) {
    if (c > ' ' && c < '\x7f' && c != '%' && c != '=') {
      line += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      line += '%';
      line += digits[byte >> 4U];
      line += digits[byte & 0xfU];
    }
  }
  return line;
}

std::string decode(std::string_view line) {
  std::string value;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '%') {
      value += line[i];
      continue;
    }
    const auto high = i + 2 < line.size() ? digits.find(line[i + 1]) : std::string_view::npos;
    const auto low = high != std::string_view::npos ? digits.find(line[i + 2]) : std::string_view::npos;
    if (low == std::string_view::npos) throw Error("a '%' is not followed by two digits");
    value += static_cast<char>(high << 4U | low);
    i += 2;
  }
  return value;
}

}  // namespace

WireRecord& WireRecord::set(std::string name, std::string_view value) {
  fields_.emplace_back(std::move(name), value);
  return *this;
}

const std::string* WireRecord::find(std::string_view name) const {
  const auto found =
      std::ranges::find(fields_, name, [](const auto& field) -> std::string_view { return field.first; });
  return found == fields_.end() ? nullptr : &found->second;
}

const std::string& WireRecord::operator[](std::string_view name) const {
  const std::string* value = find(name);
  if (value == nullptr) refuse(name, "is missing");
  return *value;
}

void WireRecord::refuse(std::string_view name, std::string_view why) const {
  throw Error(text("record '", escape(kind_), "': ", escape(name), ' ', why));
}

std::string WireRecord::line() const {
  std::string line = encode(kind_);
  for (const auto& [name, value] : fields_) line += text(' ', encode(name), '=', encode(value));
  return line;
}

WireRecord WireRecord::parse(std::string_view line) {
  const auto words = split(line, ' ');
  if (words.front().empty()) throw Error("a record lacks its first word");
  WireRecord record(decode(words.front()));
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    const auto equals = word->find('=');
    if (equals == std::string_view::npos)
      throw Error(text("record: '", escape(*word), "' is not of the form name=value"));
    record.set(decode(word->substr(0, equals)), decode(word->substr(equals + 1)));
  }
  return record;
}

}  // namespace brood
