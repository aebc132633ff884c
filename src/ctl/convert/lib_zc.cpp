// SPDX-License-Identifier: MIT
#include "ctl/convert/lib_zc.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/service/limits.hpp"
#include "base/text.hpp"
#include "ctl/convert/key_value_lines.hpp"
#include "ctl/convert/service_text.hpp"

namespace brood::ctl {
namespace {

constexpr std::array lib_zc_keys = {
    KeyRule{"server-command", KeyForm::used, "", ""},
    KeyRule{"server-service", KeyForm::used, "", ""},
    KeyRule{"server-proc-count", KeyForm::used, "", ""},
    KeyRule{"server-stop-on-softstop-after", KeyForm::seconds, "graceful-timeout", ""},
    KeyRule{"exit-after", KeyForm::seconds, "max-lifetime-per-child", ""},
    KeyRule{"master-chdir", KeyForm::as_written, "working-directory", ""},
    KeyRule{"master-chroot", KeyForm::lost, "",
            "chroot changes the root before the program is started: set it if the program and all that it "
            "opens are there"},
    KeyRule{"server-log", KeyForm::lost, "", "use log, and log-facility for syslog"},
    KeyRule{"server-syslog", KeyForm::lost, "", "use log, and log-facility for syslog"},
    KeyRule{"server-config-path", KeyForm::nothing, "", "it is the argument of brood --config-directory"},
    KeyRule{"pid-file", KeyForm::nothing, "", "it is a setting of the parent"},
    KeyRule{"log-service", KeyForm::lost, "", "use log = syslog, or a file and logrotate(8)"},
};

std::string absolute(const std::string& path, const std::string& directory) {
  return (path.starts_with('/') ? std::filesystem::path(path) : std::filesystem::path(directory) / path)
      .lexically_normal();
}

class LibZcService {
 public:
  LibZcService(const KeyValueLines& lines, const std::string& directory, const Machine& machine, Draft& draft,
               std::vector<std::string>& mistakes)
      : lines_(lines), directory_(directory), machine_(machine), draft_(draft), mistakes_(mistakes) {}

  void translate(const std::string& gets) {
    for (const auto& given : lines_.values) {
      if (given.key == "server-command") {
        const std::vector<std::string> words = {absolute(given.value, directory_)};
        draft_.set("command", as_command(words));
        draft_.set("command-gets", gets);
      }
      if (given.key == "server-service") set_listeners(given);
      if (given.key == "server-proc-count") set_children(given);
      const KeyRule* rule = find_rule(lib_zc_keys, given.key);
      // 0 there is "at once", and 0 here is "no limit".
      const bool at_once = given.key == "server-stop-on-softstop-after" && as_duration(given.value) == "0";
      if (rule == nullptr)
        draft_.hand_on(given.key, given.value);
      else if (at_once)
        draft_.skip(given.key, given.value, "a child leaves when its connections are finished");
      else if (!apply(*rule, given, draft_))
        mistake(given, text(given.key, " = ", given.value, " is not a time"));
    }
    if (draft_.find("listen") == nullptr) draft_.turn_off("it has no listener left");
    if (lines_.find("server-proc-count").empty()) set_children({"server-proc-count", "1", draft_.place});
    draft_.choose_how_own_are_given();
  }

 private:
  void mistake(const KeyValue& given, const std::string& wrong) {
    mistakes_.push_back(given.place + ": " + wrong);
  }

  // [NAME://]HOST:PORT, [NAME://]PATH, local:PATH or fifo:PATH, separated by ';', ',' or blanks.
  void set_listeners(const KeyValue& given) {
    for (std::size_t at = 0; at < given.value.size();) {
      const auto end = std::min(given.value.find_first_of(";, \t", at), given.value.size());
      if (end > at) set_listener(given, given.value.substr(at, end - at));
      at = end + 1;
    }
  }

  void set_listener(const KeyValue& given, std::string written) {
    std::string name;
    if (const auto separator = written.find("://"); separator != std::string::npos) {
      name = ",name=" + written.substr(0, separator);
      if (separator == 0) name.clear();
      written.erase(0, separator + 3);
    }
    const auto colon = written.find(':');
    const std::string before = written.substr(0, colon);
    if (before == "fifo") {
      draft_.lose("server-service", written, "make a second service, of triggers, with listen = fifo:PATH");
      return;
    }
    if (colon == std::string::npos || before == "local") {
      const std::string path = colon == std::string::npos ? written : written.substr(colon + 1);
      draft_.set("listen", text("unix:", absolute(path, directory_), name));
      return;
    }
    const auto port = port_of(machine_, written.substr(colon + 1), "tcp");
    if (!port) return mistake(given, text("server-service = ", written, " has no port"));
    draft_.set("listen", text(before.empty() || before == "0" ? "*" : before, ':', *port, name));
  }

  void set_children(const KeyValue& given) {
    const auto count = parse_number<unsigned>(given.value);
    if (!count || *count == 0)
      return mistake(given, text("server-proc-count = ", given.value, " is not a number above 0"));
    for (const char* setting : {"start-servers", "min-spare-servers", "max-clients"})
      draft_.set(setting, text(*count));
    if (*count > Limits().max_spare_servers) draft_.set("max-spare-servers", text(*count));
  }

  const KeyValueLines& lines_;
  const std::string& directory_;
  const Machine& machine_;
  Draft& draft_;
  std::vector<std::string>& mistakes_;
};

}  // namespace

void convert_lib_zc(std::string_view content, const std::string& file, const std::string& gets,
                    const std::string& directory, const Machine& machine, Conversion& into) {
  const auto lines = key_value_lines(content, file, Comments::whole_lines, Repeated::last_counts);
  Draft draft{.name = service_name(stem(file)), .place = file};
  // Files for all services, and files without these two, are no services there either.
  const bool is_service = !lines.find("server-command").empty() && !lines.find("server-service").empty();
  if (!is_service) {
    for (const auto& given : lines.values)
      into.shared.lose(
          given.key, given.value,
          "it is of several programs: write it behind [settings] in the files of those that have it");
    into.shared.place = into.shared.place.empty() ? file : into.shared.place + ", " + file;
    return;
  }
  for (const auto& other : lines.others)
    into.mistakes.push_back(text(other.place, ": '", other.key, "' is not of the form 'key = value'"));
  LibZcService(lines, directory, machine, draft, into.mistakes).translate(gets);
  into.services.push_back(std::move(draft));
}

}  // namespace brood::ctl
