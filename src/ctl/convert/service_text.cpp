// SPDX-License-Identifier: MIT
#include "ctl/convert/service_text.hpp"

#include "base/text.hpp"

namespace brood::ctl {
namespace {

constexpr std::string_view plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%^~$(){}[]*?!&;<>|`";

std::string as_word(const std::string& word) {
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  if (!word.empty() && word.find('\'') == std::string::npos && word.front() != '/') return '\'' + word + '\'';
  std::string escaped;
  for (const char c : word) {
    if (plain.find(c) == std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return word.empty() ? "''" : escaped;
}

std::string remark_line(const Remark& remark) {
  const std::string what = remark.value.empty() ? remark.key : text(remark.key, " = ", remark.value);
  return escape(text("# ", remark.lost ? "not translated: " : "not needed: ", what, ": ", remark.why)) + '\n';
}

}  // namespace

std::string as_value(std::string_view value) {
  const bool needs_quotes = trim(value).size() != value.size() || value.starts_with('"') ||
                            value.find('#') != std::string_view::npos;
  if (!needs_quotes) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string as_command(std::span<const std::string> words) {
  std::string command;
  for (const auto& word : words) command += (command.empty() ? "" : " ") + as_word(word);
  return command;
}

std::string as_file(const Draft& draft) {
  std::string out = escape("# From " + draft.place) + '\n';
  if (!draft.off.empty())
    out += escape("# Not started: " + draft.off) + "\n# If it is right now, rename this file to " +
           draft.name + ".conf.\n";
  for (const auto& [setting, value] : draft.settings) out += setting + " = " + as_value(value) + '\n';
  for (const Remark& remark : draft.remarks) out += remark_line(remark);
  if (!draft.own.empty()) out += "\n[settings]\n";
  for (const auto& [key, value] : draft.own) out += key + " = " + as_value(value) + '\n';
  return out;
}

std::string file_name(const Draft& service) {
  return service.name + (service.off.empty() ? ".conf" : ".conf.off");
}

}  // namespace brood::ctl
