// SPDX-License-Identifier: MIT
#include "settings/settings_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::size_t largest_file = 1 << 20;

// The value behind the '=' of a line. Quotes keep blanks and '#'; without them a '#' after a blank begins a
// comment.
std::string unquote(std::string_view raw) {
  raw = trim(raw);
  if (raw.empty() || raw.front() != '"') {
    for (std::size_t i = 0; i < raw.size(); ++i)
      if (raw[i] == '#' && (i == 0 || raw[i - 1] == ' ' || raw[i - 1] == '\t'))
        return std::string(trim(raw.substr(0, i)));
    return std::string(raw);
  }
  std::string value;
  for (std::size_t i = 1; i < raw.size(); ++i) {
    if (raw[i] == '"') {
      const auto rest = trim(raw.substr(i + 1));
      if (!rest.empty() && rest.front() != '#')
        throw ConfigurationError("there is text after the closing quote");
      return value;
    }
    if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
    value += raw[i];
  }
  throw ConfigurationError("the closing quote is missing");
}

std::string read_whole(const std::string& path) {
  // Not blocking: a FIFO without a writer would hold up the parent.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) throw SystemError(path, errno, ExitCode::configuration);
  if (S_ISDIR(status.st_mode)) throw SystemError(path, EISDIR, ExitCode::configuration);
  if (S_ISFIFO(status.st_mode))
    throw ConfigurationError(path +
                             ": is a pipe: settings must be in a file, because each reload reads them again");
  std::string content;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0) throw SystemError(path, errno, ExitCode::configuration);
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(size));
    if (content.size() > largest_file) throw ConfigurationError(path + ": is larger than 1 MiB");
  }
}

}  // namespace

const std::vector<std::string>& values_of(const Setting& setting, const GivenSettings& given) {
  const auto found = given.find(setting.name);
  return found == given.end() ? setting.defaults : found->second.values;
}

// Without the name of the service.
namespace {

std::string_view own_name(const Setting& setting) {
  return std::string_view(setting.name).substr(setting.service.empty() ? 0 : setting.service.size() + 1);
}

}  // namespace

NameAndValue as_kept(const Setting& setting, const std::string& value) {
  if (setting.in_list.empty()) return {setting.name, value};
  return {setting.in_list, text(own_name(setting), ' ', value)};
}

NameAndValue as_in_file(const Settings& settings, const Setting& setting, const std::string& value) {
  for (const auto& other : settings.all())
    if (const auto name = own_name(other);
        other.in_list == setting.name && value.starts_with(text(name, ' ')))
      return {other.name, value.substr(name.size() + 1)};
  return {setting.name, value};
}

std::vector<std::string> differing(const GivenSettings& one, const GivenSettings& other) {
  std::set<std::string> names;
  const auto add = [&names](const GivenSettings& from, const GivenSettings& to) {
    for (const auto& [name, given] : from)
      if (const auto found = to.find(name); found == to.end() || found->second.values != given.values)
        names.insert(name);
  };
  add(one, other);
  add(other, one);
  return {names.begin(), names.end()};
}

std::vector<std::string> names_of(const Settings& settings) {
  std::vector<std::string> names;
  for (const auto& setting : settings.all()) names.push_back(setting.name);
  return names;
}

std::vector<std::string> services_of(const Settings& settings) {
  std::vector<std::string> services;
  for (const auto& setting : settings.all())
    if (!setting.service.empty() && (services.empty() || services.back() != setting.service))
      services.push_back(setting.service);
  return services;
}

std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  return text("unknown ", what, " '", name, "'", did_you_mean(name, known));
}

void SettingsReader::error(const std::string& where, const std::string& wrong) {
  errors_.push_back(where.empty() ? wrong : text(where, ": ", wrong));
}

bool SettingsReader::read_file(const std::string& path) {
  std::string content;
  try {
    content = look_up("file", path, [&] { return read_whole(path); });
  } catch (const Error& failure) {
    errors_.emplace_back(failure.what());
    return false;
  }
  read_text(content, path);
  return true;
}

// The lines of a section that is not known are not reported as further mistakes.
SettingsReader::Section SettingsReader::enter_section(std::string_view line, const std::string& where) {
  if (line.back() != ']') {
    error(where, text("'", line, "' is not of the form '[SECTION]'"));
    return {.skipped = true};
  }
  const std::string name(trim(line.substr(1, line.size() - 2)));
  auto known = services_of(settings_);
  if (std::ranges::find(known, name) != known.end()) return {.prefix = name + '.'};
  for (const auto& setting : settings_.all()) {
    if (!setting.has_section || !setting.service.empty()) continue;
    if (setting.name == name) {
      given_[name].where = where;  // also if it is empty
      return {.list = &setting, .where = where};
    }
    known.push_back(setting.name);
  }
  error(where, unknown("section", name, known));
  return {.skipped = true};
}

// `read`: returns the value that the line adds.
void SettingsReader::add(const Setting& setting, const std::string& where, const auto& read) {
  const std::string home = as_kept(setting, "").name;
  Given& given = given_[home];
  if (!setting.list && !given.values.empty())
    return error(where, text(setting.name, " is already set at ", given.where));
  given.where = where;
  try {
    given.values.push_back(read());
    given.wheres.push_back(where);
  } catch (const Error& failure) {
    error(where, text(setting.name, ": ", failure.what()));
    given_.erase(home);
  }
}

void SettingsReader::read_line(std::string_view line, const std::string& where, const Section& section) {
  const auto equals = line.find('=');
  const std::string name(trim(line.substr(0, equals))), key = section.prefix + name;
  if (line.find('\0') != std::string_view::npos) {
    error(where, "contains a NUL byte: this is not a settings file");
  } else if (equals == std::string_view::npos || name.empty()) {
    error(where, text("'", line, "' is not of the form 'name = value'"));
  } else if (section.list != nullptr) {
    add(*section.list, where, [&] { return text(name, '=', unquote(line.substr(equals + 1))); });
    if (Given* const values = find(section.list->name)) values->where = section.where;
  } else if (const Setting* setting = settings_.find(key); setting != nullptr) {
    add(*setting, where, [&] { return as_kept(*setting, unquote(line.substr(equals + 1))).value; });
  } else {
    const bool elsewhere = elsewhere_ != nullptr && elsewhere_->find(key) != nullptr;
    const std::string wrong =
        elsewhere ? text(key, ' ', advice_) : unknown("setting", key, names_of(settings_));
    if (passes_over_)
      passed_over_.push_back(text(where, ": ", wrong));
    else
      error(where, wrong);
  }
}

void SettingsReader::read_text(std::string_view content, const std::string& name) {
  const auto lines = split(content, '\n');
  Section section;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = text(name, ":", i + 1);
    const auto line = trim(lines[i]);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[')
      section = enter_section(line, where);
    else if (!section.skipped)
      read_line(line, where, section);
  }
}

void SettingsReader::override_with(const GivenSettings& command_line) {
  for (const auto& [name, given] : command_line) given_[name] = given;
}

void SettingsReader::belongs_elsewhere(const Settings& table, std::string advice) {
  elsewhere_ = &table;
  advice_ = std::move(advice);
}

void SettingsReader::restore(const GivenSettings& values) {
  override_with(values);
  restores_ = true;
}

void SettingsReader::inherit(const GivenSettings& shared, const std::string& whose) {
  for (const auto& [name, given] : shared)
    if (settings_.find(name) != nullptr)
      if (const auto [added, is_new] = given_.try_emplace(name, given); is_new && !whose.empty())
        added->second.add_to_place(", " + whose);
}

Given* SettingsReader::find(const std::string& setting) {
  const auto found = given_.find(setting);
  return found == given_.end() ? nullptr : &found->second;
}

void SettingsReader::blame(const std::string& setting, const std::string& wrong, std::size_t value) {
  const auto found = given_.find(setting);
  error(found == given_.end() ? place_ : found->second.where_of(value), prefix_ + wrong);
}

void SettingsReader::check(const Setting& setting, const std::vector<std::string>& values) {
  const auto wrong = [&](const std::string& value) {
    const auto [name, its] = as_in_file(settings_, setting, value);
    return text(name, " = ", its, " ", what_was_thrown());
  };
  std::string of_all;
  try {
    stores_[setting.name] = setting.parse(values);
    return;
  } catch (...) {
    of_all = wrong(values.empty() ? "" : values.front());
  }
  bool found = false;  // which ones of a list
  for (std::size_t i = 0; setting.list && i < values.size(); ++i) try {
      setting.parse({values[i]});
    } catch (...) {
      blame(setting.name, wrong(values[i]), i);
      found = true;
    }
  if (!found) blame(setting.name, of_all);
}

void SettingsReader::check() {
  for (const auto& setting : settings_.all()) {
    const auto found = given_.find(setting.name);
    const bool given = found != given_.end();
    if (given || !setting.kits || setting.other_default)
      check(setting, given ? found->second.values : setting.defaults);
  }
}

std::function<void()> SettingsReader::stores(bool kits) const {
  std::vector<std::function<void()>> all;
  for (const auto& setting : settings_.all())
    if (const auto found = stores_.find(setting.name); found != stores_.end() && setting.kits == kits)
      all.push_back(found->second);
  return [all = std::move(all)] {
    for (const auto& store : all) store();
  };
}

void SettingsReader::finish() const {
  if (!errors_.empty()) throw ConfigurationError(errors());
}

std::string SettingsReader::errors() const { return join(errors_); }

}  // namespace brood
