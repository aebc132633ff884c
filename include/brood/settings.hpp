// SPDX-License-Identifier: MIT
// The table of settings. Each is defined once, with its name, type, default, bounds and help; the command
// line, the file, --help, --print-config and every error message come from it. The kit's own settings and
// those of a server (ServerBase::add_settings) stand in the same table. Parent only.
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

// Whether SIGHUP applies a changed value, or the server must be started again for it.
enum class AppliedOn { reload, restart };

struct Setting {
  std::string name;                   // as behind "--"; a service's own is "SERVICE.NAME"
  std::string service;                // whose it is, in a program with several; "": shared by all
  std::string kind;                   // for people: "number from 1 to 65536", "duration"
  std::string help;                   // sentences
  std::string section;                // heading in the printed file
  std::vector<std::string> defaults;  // one, or for a list any number
  bool list = false;                  // may be given several times
  bool flag = false;                  // "--name" alone on the command line means "yes"
  bool kits = false;                  // not the server's own
  AppliedOn applied_on = AppliedOn::reload;

  // Checks a value as written and returns what stores it; throws Error with what is wrong with it.
  std::function<std::function<void()>(const std::vector<std::string>&)> parse;
};

class Settings {
 public:
  // Each binds a setting to a variable: its present value is the default, and it is changed only when
  // everything that was read is right. The variable must outlive the table.
  Setting& text(std::string name, std::string& target, std::string help);
  Setting& choice(std::string name, std::string& target, std::vector<std::string> choices, std::string help);
  Setting& flag(std::string name, bool& target, std::string help);  // yes/no, true/false, on/off, 1/0
  Setting& number(std::string name, unsigned& target, unsigned lowest, unsigned highest, std::string help);
  // Written with its unit: "250ms", "30s", "5m", "1h"; 0 needs none.
  Setting& duration(std::string name, std::chrono::milliseconds& target, std::chrono::milliseconds lowest,
                    std::chrono::milliseconds highest, std::string help);
  // Given any number of times; what is given replaces the default.
  Setting& list(std::string name, std::vector<std::string>& target, std::string help);

  // Another default for a setting of the kit's, as `listen`. A mistake in it is told like any other.
  void set_default(std::string_view name, std::vector<std::string> values);

  // Settings that are added after this stand under this heading.
  void section(std::string heading) { section_ = std::move(heading); }
  // The kit's: settings that are added after this are of this service; or are the kit's own.
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
