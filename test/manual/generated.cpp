// SPDX-License-Identifier: MIT
#include "generated.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/text.hpp"
#include "settings/configuration.hpp"
#include "settings/settings_printer.hpp"

namespace brood::test {
namespace {

// Adds a line of text, escaped so that mdoc does not take it as a macro.
void add_line(std::string& out, std::string_view line) {
  if (line.starts_with('.') || line.starts_with('\'')) out += "\\&";
  for (const char c : line) {
    if (c == '\\')
      out += "\\e";
    else
      out += c;
  }
  out += '\n';
}

// Begins a new line for each sentence, and has no line longer than 80 bytes, as mandoc -T lint requires.
void add_prose(std::string& out, std::string_view prose) {
  constexpr std::size_t width = 76;
  std::string line;
  for (const auto word : split(prose, ' ')) {
    const bool ended = line.ends_with('.') || line.size() + 1 + word.size() > width;
    if (ended) add_line(out, line);
    line = ended || line.empty() ? std::string(word) : line + ' ' + std::string(word);
  }
  add_line(out, line);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) throw std::runtime_error("can't read " + path);
  return content.str();
}

std::string settings_as_mdoc() {
  // The settings of all child models.
  Configuration configuration{.name = "PROGRAM"};
  ServiceConfiguration service("", {.many_connections = true, .threads = true, .command = true}, true);
  Settings settings;
  add_service_settings(settings, service);
  add_parent_settings(settings, configuration);
  std::string out;
  std::string section;
  for (const auto& setting : settings.all()) {
    if (setting.section != section) {
      if (!section.empty()) out += ".El\n";
      section = setting.section;
      // The first word might be a macro's name.
      out += ".Ss \\&" + section + "\n.Bl -tag -width Ds\n";
    }
    out += ".It Cm " + setting.name + '\n';
    add_prose(out, setting.help);
    add_prose(out, allowed_and_default(setting));
  }
  return out + ".El\n";
}

std::string source_as_mdoc(const std::string& source) {
  std::string out = ".Bd -literal -offset indent\n";
  std::string_view lines = source;
  while (lines.ends_with('\n')) lines.remove_suffix(1);
  for (const auto line : split(lines, '\n')) add_line(out, line);
  return out + ".Ed\n";
}

std::string with_generated(const std::string& page, const std::string& generated) {
  const auto begin = page.find("\n.\\\" Generated: ");
  const auto content = begin == std::string::npos ? begin : page.find('\n', begin + 1) + 1;
  const auto end =
      content == std::string::npos ? content : page.find(".\\\" End of what is generated.\n", content);
  if (end == std::string::npos) throw std::runtime_error("the page has no mark for the generated part");
  return page.substr(0, content) + generated + page.substr(end);
}

}  // namespace brood::test
