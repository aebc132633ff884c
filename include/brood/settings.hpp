// SPDX-License-Identifier: MIT
// The table of settings. Each setting is defined once, with its name, type, default, bounds and help. The
// command line, the file, --help, --print-config and all error messages use this table. It holds the kit's
// own settings and those of a server (ServerBase::add_settings). Parent only.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "brood/error.hpp"
#include "brood/setting_type.hpp"

namespace brood {

// What applies a changed value: a reload (SIGHUP), only a restart of the service (`broodctl restart`), or
// only a restart of the server.
enum class AppliedOn { reload, service_restart, restart };

struct Setting {
  std::string name;                   // without "--"; "SERVICE.NAME" for a service of several
  std::string service;                // in a program with several services; "": shared by all
  std::string kind;                   // for people: "number from 1 to 65536", "duration", "size"
  std::string help;                   // sentences
  std::string section;                // heading in the printed file
  std::vector<std::string> defaults;  // one value, or any number for a list
  bool list = false;                  // may be given several times
  bool flag = false;                  // "--name" alone on the command line means "yes"
  bool path = false;                  // relative paths are from the directory in which the server runs
  bool kits = false;                  // a setting of the kit, not of the server
  bool other_default = false;         // set_default() was called: the variable has another value
  AppliedOn applied_on = AppliedOn::reload;
  // For the kit: its values are values of this list, with its own name in front, so that the two settings
  // have one order: "deny 10.0.0.0/8" in `allow`.
  std::string in_list;
  // For the kit: it is a list of NAME=VALUE. In a file, the lines behind "[ITS NAME]" are its values, too.
  bool has_section = false;

  // Checks the values as written, and returns a function that stores them. Throws Error.
  std::function<std::function<void()>(const std::vector<std::string>&)> parse;
};

class Settings {
 public:
  // Each of these binds a setting to a variable. The present value of the variable is the default. The
  // variable is changed only if everything that was read is valid. It must outlive the table. The name has
  // lower-case letters, digits and '-', and begins with a letter. Throws Error if it has something else, is
  // added twice, or is that of an option or a setting of the kit.
  Setting& text(const std::string& name, std::string& target, const std::string& help);
  Setting& choice(const std::string& name, std::string& target, std::vector<std::string> choices,
                  const std::string& help);
  // settings.choice("speed", speed_, {{"fast", Speed::fast}, {"slow", Speed::slow}}, "How fast it is.");
  template <typename E>
  requires std::is_enum_v<E> Setting& choice(const std::string& name, E& target,
                                             const std::type_identity_t<EnumWords<E>>& words,
                                             const std::string& help) {
    return value(name, target, choice_type(words), help);
  }
  Setting& flag(const std::string& name, bool& target,
                const std::string& help);  // yes/no, true/false, on/off, 1/0
  Setting& number(const std::string& name, unsigned& target, unsigned lowest, unsigned highest,
                  const std::string& help);
  // With a sign: an int, a long or a long long.
  template <std::signed_integral T>
  Setting& integer(const std::string& name, T& target, std::type_identity_t<T> lowest,
                   std::type_identity_t<T> highest, const std::string& help) {
    return value(name, target, type_between(lowest, highest), help);
  }
  // With a fraction, and finite: "3", "0.75", "-2", "1e6".
  Setting& real(const std::string& name, double& target, double lowest, double highest,
                const std::string& help);
  // Written with its unit: "250ms", "30s", "5m", "1h"; 0 needs none.
  Setting& duration(const std::string& name, std::chrono::milliseconds& target,
                    std::chrono::milliseconds lowest, std::chrono::milliseconds highest,
                    const std::string& help);
  // Bytes, also written with a unit: "64K", "10M", "1G" (of 1024, 1024 K and 1024 M).
  Setting& size(const std::string& name, std::uint64_t& target, std::uint64_t lowest, std::uint64_t highest,
                const std::string& help);
  // A file or a directory, which need not exist. As with pid-file and log, a relative path is one from the
  // directory in which the server was started, and `daemonize` refuses it. The variable gets the whole path.
  Setting& path(const std::string& name, std::string& target, const std::string& help);
  // A type of your own, as above.
  template <typename T>
  Setting& value(const std::string& name, T& target, const std::type_identity_t<SettingType<T>>& type,
                 const std::string& help) {
    return add(name, help, type, write_all(name, type, std::span<const T>(&target, 1)), false,
               [&target, read = type.read](const std::vector<std::string>& values) {
                 return [&target, value = read(values.front())] { target = value; };
               });
  }

  // A list may be given any number of times. The values that are given replace the default. It has texts, or
  // what value() may have: list("root", roots_, path_type(), "The directories."), ...
  Setting& list(const std::string& name, std::vector<std::string>& target, const std::string& help);
  template <typename T>
  Setting& list(const std::string& name, std::vector<T>& target,
                const std::type_identity_t<SettingType<T>>& type, const std::string& help) {
    return add(name, help, type, write_all(name, type, std::span<const T>(target)), true,
               [&target, read = type.read](const std::vector<std::string>& values) {
                 std::vector<T> all;
                 for (const auto& word : values) all.push_back(read(word));
                 return [&target, all = std::move(all)] { target = all; };
               });
  }
  // ... words, ...
  Setting& list(const std::string& name, std::vector<std::string>& target, std::vector<std::string> choices,
                const std::string& help);
  template <typename E>
  requires std::is_enum_v<E> Setting& list(const std::string& name, std::vector<E>& target,
                                           const std::type_identity_t<EnumWords<E>>& words,
                                           const std::string& help) {
    return list(name, target, choice_type(words), help);
  }
  // ... or, by the type of the vector, what number(), integer(), real(), duration() or size() reads.
  template <typename T>
  Setting& list(const std::string& name, std::vector<T>& target, std::type_identity_t<T> lowest,
                std::type_identity_t<T> highest, const std::string& help) {
    return list(name, target, type_between(lowest, highest), help);
  }

  // Changes the default of a setting of the kit, for example `listen`. It is checked as a value that is
  // given.
  void set_default(std::string_view name, std::vector<std::string> values);

  // For the kit: takes the defaults of its settings that a server has changed in the table `from`.
  void adopt_defaults(const Settings& from);
  // For the kit: also takes the server's own settings from there.
  void adopt(const Settings& from);
  // For the kit: adds the settings of `table` as those of this service.
  void add_service(const std::string& service, const Settings& table);

  // The heading of the settings that are added after this.
  void section(std::string heading) { section_ = std::move(heading); }
  // For the kit: whether settings that are added after this belong to it.
  void of_kit(bool kits) { kits_ = kits; }

  const std::vector<Setting>& all() const { return settings_; }
  const Setting* find(std::string_view name) const;

 private:
  template <typename T>
  static std::vector<std::string> write_all(const std::string& name, const SettingType<T>& type,
                                            std::span<const T> values) {
    std::vector<std::string> written;
    try {
      for (const auto& value : values) written.push_back(type.write(value));
    } catch (const std::exception& error) {
      throw Error("setting " + name + ": " + error.what());
    }
    return written;
  }
  Setting& add(Setting setting);
  template <typename T>
  Setting& add(const std::string& name, const std::string& help, const SettingType<T>& type,
               const std::vector<std::string>& defaults, bool list, const decltype(Setting::parse)& parse) {
    return add({.name = name,
                .kind = type.kind + (list ? ", any number of times" : ""),
                .help = help,
                .defaults = defaults,
                .list = list,
                .flag = type.flag,
                .path = type.path,
                .parse = parse});
  }

  std::vector<Setting> settings_;
  std::string section_;
  bool kits_ = false;
};

}  // namespace brood
