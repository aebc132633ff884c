// SPDX-License-Identifier: MIT
// What a foreign configuration becomes: services as their files will say it, and what could not be
// translated.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::ctl {

// A setting of theirs that is no setting of ours.
struct Remark {
  std::string key, value, why;
  bool lost = true;  // false: nothing is missing without it
};

struct Draft {
  std::string name;   // of the service, and of its file
  std::string place;  // where it is in the input: "inetd.conf:12"
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::pair<std::string, std::string>> own;  // the program's, behind [settings]
  std::vector<Remark> remarks;
  std::string off;  // why brood must not start it as it is; "": it may

  void set(std::string setting, std::string value) {
    settings.emplace_back(std::move(setting), std::move(value));
  }
  // A setting of the program itself. Its key becomes a name that a program of the kit can give a setting.
  void hand_on(std::string_view key, std::string value);
  void lose(std::string key, std::string value, std::string why) {
    remarks.push_back({std::move(key), std::move(value), std::move(why)});
  }
  void skip(std::string key, std::string value, std::string why) {
    remarks.push_back({std::move(key), std::move(value), std::move(why), false});
  }
  // The first reason is kept.
  void turn_off(const std::string& why) {
    if (off.empty()) off = why;
  }
  const std::string* find(std::string_view setting) const;  // its first value; nullptr: not set
  // A program of the kit reads its own settings among its arguments. Another one might refuse arguments that
  // it does not know: it gets variables.
  void choose_how_own_are_given();
  bool own_are_variables() const { return find("settings-as") != nullptr; }
};

struct Conversion {
  std::vector<Draft> services;
  Draft shared;                       // for defaults/
  std::vector<std::string> mistakes;  // "inetd.conf:12: …"
};

// What the machine knows. Tests have one of their own.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::optional<unsigned> port(const std::string& service, const std::string& protocol) const = 0;
  virtual bool has_user(const std::string& name) const = 0;
  virtual bool has_group(const std::string& name) const = 0;
  virtual bool can_execute(const std::string& path) const = 0;
  virtual bool has_directory(const std::string& path) const = 0;
};

// A number, or the name of a service of this machine.
std::optional<unsigned> port_of(const Machine& machine, const std::string& written,
                                const std::string& protocol);

// "conf/echo.cf" -> "echo"
std::string stem(std::string_view path);
// What a service may be called: 1 to 63 letters, digits, '-' and '_'.
std::string service_name(std::string_view written);
// Gives services that have the same name a number each.
void make_names_unique(std::vector<Draft>& services);

// Turns services off that brood would refuse: their program, user, group or directory is not on this machine,
// or a value is out of bounds. A program's own setting that brood would refuse is lost. (checks.cpp)
void check_on(const Machine& machine, Conversion& conversion);

}  // namespace brood::ctl
