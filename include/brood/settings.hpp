// SPDX-License-Identifier: MIT
// The table of settings. Each setting is defined once, with its name, type, default, bounds and help. The
// command line, the file, --help, --print-config and all error messages use this table. It holds the kit's
// own settings and those of a server (ServerBase::add_settings). Parent only.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

// Whether a reload (SIGHUP) applies a changed value, or only a restart does.
enum class AppliedOn { reload, restart };

struct Setting {
  std::string name;                   // without "--"; "SERVICE.NAME" for a service of several
  std::string service;                // in a program with several services; "": shared by all
  std::string kind;                   // for people: "number from 1 to 65536", "duration"
  std::string help;                   // sentences
  std::string section;                // heading in the printed file
  std::vector<std::string> defaults;  // one value, or any number for a list
  bool list = false;                  // may be given several times
  bool flag = false;                  // "--name" alone on the command line means "yes"
  bool kits = false;                  // a setting of the kit, not of the server
  AppliedOn applied_on = AppliedOn::reload;

  // Checks the values as written, and returns a function that stores them. Throws Error.
  std::function<std::function<void()>(const std::vector<std::string>&)> parse;
};

class Settings {
 public:
  // Each of these binds a setting to a variable. The present value of the variable is the default. The
  // variable is changed only if everything that was read is valid. It must outlive the table.
  Setting& text(std::string name, std::string& target, std::string help);
  Setting& choice(std::string name, std::string& target, std::vector<std::string> choices, std::string help);
  Setting& flag(std::string name, bool& target, std::string help);  // yes/no, true/false, on/off, 1/0
  Setting& number(std::string name, unsigned& target, unsigned lowest, unsigned highest, std::string help);
  // Written with its unit: "250ms", "30s", "5m", "1h"; 0 needs none.
  Setting& duration(std::string name, std::chrono::milliseconds& target, std::chrono::milliseconds lowest,
                    std::chrono::milliseconds highest, std::string help);
  // May be given any number of times. The values that are given replace the default.
  Setting& list(std::string name, std::vector<std::string>& target, std::string help);

  // Changes the default of a setting of the kit, for example `listen`. It is checked as a value that is
  // given.
  void set_default(std::string_view name, std::vector<std::string> values);

  // The heading of the settings that are added after this.
  void section(std::string heading) { section_ = std::move(heading); }
  // For the kit: whether settings that are added after this belong to this service, and to the kit.
  void of_service(std::string service) { service_ = std::move(service); }
  void of_kit(bool kits) { kits_ = kits; }

  const std::vector<Setting>& all() const { return settings_; }
  const Setting* find(std::string_view name) const;

 private:
  Setting& add(Setting setting);

  std::vector<Setting> settings_;
  std::string section_, service_;
  bool kits_ = false;
};

}  // namespace brood
