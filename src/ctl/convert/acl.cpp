// SPDX-License-Identifier: MIT
#include "ctl/convert/acl.hpp"

#include <algorithm>
#include <array>

#include "base/service/limits.hpp"
#include "base/text.hpp"
#include "ctl/convert/acl_access.hpp"
#include "ctl/convert/acl_keys.hpp"
#include "ctl/convert/key_value_lines.hpp"
#include "ctl/convert/service_text.hpp"

namespace brood::ctl {
namespace {

constexpr std::array<std::string_view, 6> frameworks = {"ioctl_", "single_",  "aio_",
                                                        "udp_",   "trigger_", "fiber_"};

bool says_no(const std::string& value) {
  return value == "n" || value == "no" || value == "off" || value == "false";
}

std::vector<std::string> list_of(std::string_view written, std::string_view separators) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < written.size();) {
    const auto end = std::min(written.find_first_of(separators, at), written.size());
    if (end > at) words.emplace_back(written.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

class AclService {
 public:
  AclService(const KeyValueLines& lines, const AclMain& main, const Machine& machine, Draft& draft,
             std::vector<std::string>& mistakes)
      : lines_(lines), main_(main), machine_(machine), draft_(draft), mistakes_(mistakes) {}

  void translate(const std::string& gets) {
    set_program(gets);
    if (framework() == "trigger_")
      set_timer();
    else
      set_listeners();
    set_children();
    set_identity();
    set_environment();
    for (const auto& given : lines_.values) set_rest(given);
    draft_.choose_how_own_are_given();
  }

 private:
  void mistake(const std::string& key, const std::string& wrong) {
    const auto given = std::ranges::find(lines_.values, key, &KeyValue::key);
    mistakes_.push_back((given == lines_.values.end() ? draft_.place : given->place) + ": " + wrong);
  }
  std::string value(std::string_view key) const {
    std::string found = lines_.find(key);
    return found == "-" ? "" : found;
  }
  // Which template of acl the program is made with: "ioctl_" …; "": its own.
  std::string_view framework() const {
    for (const auto prefix : frameworks)
      if (std::ranges::any_of(lines_.values,
                              [&](const auto& given) { return given.key.starts_with(prefix); }))
        return prefix;
    return "";
  }
  std::string of_framework(std::string_view key) const {
    return value(std::string(framework()) + std::string(key));
  }

  void set_program(const std::string& gets) {
    // Without the key a service is disabled.
    if (const auto disabled = value("master_disable"); disabled.empty() || disabled == "yes")
      draft_.turn_off("master_disable is yes, or is missing");
    std::string program = value("master_command") + value("master_cmdext");
    if (program.empty()) return mistake("master_command", "master_command is missing");
    if (!program.starts_with('/')) program = main_.daemon_directory + '/' + program;
    std::vector<std::string> words = {program};
    for (auto& word : list_of(value("master_args"), " \t")) words.push_back(std::move(word));
    draft_.set("command", as_command(words));
    draft_.set("command-gets", gets);
  }

  std::string socket_path(const std::string& name, bool is_private) const {
    return main_.queue_directory + (is_private ? "/private/" : "/public/") + name;
  }

  // "host:port", "host|port", ":port", "|port" or "port". Empty: there is a mistake, or the value is lost.
  std::string address(const std::string& written, const std::string& protocol) {
    const auto separator = written.find_last_of(":|");
    const std::string port_written = separator == std::string::npos ? written : written.substr(separator + 1);
    std::string host = separator == std::string::npos ? "" : written.substr(0, separator);
    if (host.find('*') != std::string::npos) {
      draft_.lose("master_service", written, "a pattern of addresses: give each in listen");
      return "";
    }
    if (host.empty()) host = "*";
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = '[' + host + ']';
    const auto port = port_of(machine_, port_written, protocol);
    if (!port) {
      mistake("master_service", text("master_service = ", written, " has no port of ", protocol));
      return "";
    }
    return text(host, ':', *port);
  }

  static bool is_internet(const std::string& written) {
    return written.find_first_of(":|") != std::string::npos || parse_number<unsigned>(written);
  }
  void listen(const std::string& where) {
    if (!where.empty()) draft_.set("listen", where);
  }

  void set_listeners() {
    const std::string type = value("master_type"), service = value("master_service");
    const bool is_private = !says_no(value("master_private"));
    const auto unix_name = [](const std::string& name) { return name.substr(0, name.find("@unix")); };
    if (type != "none" && service.empty()) return mistake("master_service", "master_service is missing");
    if (type == "inet") {
      listen(address(service, "tcp"));
    } else if (type == "unix") {
      listen("unix:" + socket_path(unix_name(service), is_private));
    } else if (type == "fifo") {
      listen("fifo:" + socket_path(service, is_private) + ",per=byte");
    } else if (type == "sock" || type == "udp") {
      for (const auto& each : list_of(service, ",; \t")) {
        const bool internet = is_internet(each);
        if (type == "udp")
          listen(internet ? with_prefix("udp:", address(each, "udp"))
                          : "unix-datagram:" + socket_path(unix_name(each), false));
        else
          listen(internet ? address(each, "tcp") : "unix:" + socket_path(unix_name(each), is_private));
      }
    } else if (type.empty()) {
      return mistake("master_type", "master_type is missing");
    }
    if (draft_.find("listen") == nullptr) {
      draft_.turn_off("it has no listener; brood starts no program without one");
      draft_.set("listen", "127.0.0.1:0");
    }
    if (const auto wakeup = value("master_wakeup"); !wakeup.empty() && wakeup != "0")
      draft_.lose("master_wakeup", wakeup, "make a second service with listen = timer:TIME");
  }
  static std::string with_prefix(const std::string& prefix, const std::string& address) {
    return address.empty() ? "" : prefix + address;
  }

  // acl_master connects to the service at each interval. Ours gets a tick.
  void set_timer() {
    const std::string wakeup = value("master_wakeup");
    const std::string period = as_duration(wakeup.substr(0, wakeup.find('?')));
    if (period.empty() || period == "0") {
      draft_.lose("master_service", value("master_service"), "a trigger comes from a timer or from a FIFO");
      draft_.turn_off("master_wakeup has no time");
      draft_.set("listen", "timer:30s");
      return;
    }
    if (wakeup.ends_with('?'))
      draft_.lose("master_wakeup", wakeup, "the timer ticks from the start, not from the first use");
    draft_.set("listen", "timer:" + period);
    draft_.skip("master_service", value("master_service"), "the timer needs no socket");
  }

  void set_children() {
    const std::string most = value("master_maxproc").empty() ? "5" : value("master_maxproc");
    const std::string before = value("master_prefork").empty() ? "0" : value("master_prefork");
    const auto max = parse_number<unsigned>(most), prefork = parse_number<unsigned>(before);
    if (!max) return mistake("master_maxproc", text("master_maxproc = ", most, " is not a number"));
    if (!prefork) return mistake("master_prefork", text("master_prefork = ", before, " is not a number"));
    if (*max == 0) draft_.lose("master_maxproc", "0", "there is always a limit");
    draft_.set("max-clients", text(*max == 0 ? std::max(Limits().max_clients, *prefork) : *max));
    const unsigned spare = *max == 0 ? *prefork : std::min(*prefork, *max);
    draft_.set("start-servers", text(spare));
    draft_.set("min-spare-servers", text(spare));
    if (spare > Limits().max_spare_servers) draft_.set("max-spare-servers", text(spare));
  }

  void set_identity() {
    const std::string owner = value("master_owner"), of_program = of_framework("owner");
    const bool drops = !says_no(value("master_unpriv"));
    if (!owner.empty())
      draft_.set("user", owner);
    else if (drops && !of_program.empty())
      draft_.set("user", of_program);
    else if (!of_program.empty() && of_program != "root")
      draft_.skip(std::string(framework()) + "owner", of_program, "master_unpriv is no");
    const std::string queue = of_framework("queue_dir"), home = value("master_home");
    if (!queue.empty() || !home.empty()) draft_.set("working-directory", queue.empty() ? home : queue);
    const std::string core = of_framework("core_limit");
    if (of_framework("enable_core") == "0")
      draft_.set("limit-core", "0");
    else if (!core.empty())
      draft_.set("limit-core", core.starts_with('-') ? "unlimited" : core);
  }

  void set_environment() {
    if (const auto given = value("master_env"); !given.empty())
      draft_.set("environment", "SERVICE_ENV=" + given);
    for (auto variable : list_of(value("master_envs"), ",; \t")) {
      const auto bar = variable.find('|');
      if (bar == std::string::npos) continue;
      variable[bar] = '=';
      draft_.set("environment", variable);
    }
  }

  // A range of addresses says nothing about clients of a unix socket.
  void set_access(const KeyValue& given) {
    const std::string where = find("listen");
    if (given.value == "all" || says_no(given.value) || where.starts_with("timer:")) return;
    const auto networks = networks_of_ranges(given.value);
    if (networks && !where.starts_with("unix") && find("command-gets") != "listeners") {
      for (const auto& network : *networks) draft_.set("allow", network);
      return;
    }
    draft_.turn_off(given.key + " decides who may connect");
    draft_.lose(given.key, given.value,
                networks ? "brood can't ask for addresses there: the program has to"
                         : "it is no list of ranges of IPv4 addresses: write it as allow = NETWORK");
  }
  void set_refusal(const KeyValue& given) {
    if (find("command-gets") == "listeners")
      draft_.lose(given.key, given.value, "the program accepts, and refuses");
    else if (find("refusal").empty())
      draft_.set("refusal", given.value);
  }
  std::string find(std::string_view setting) const {
    const std::string* const found = draft_.find(setting);
    return found == nullptr ? "" : *found;
  }

  // What depends on the template of acl.
  void set_of_template(const KeyValue& given, const std::string& key) {
    const bool many = framework() == "ioctl_" || framework() == "aio_" || framework() == "fiber_";
    const auto number = parse_number<unsigned>(given.value);
    if (key == "rw_timeout" && many && number)
      draft_.set("connection-idle-timeout", as_duration(given.value));
    else if (key == "access_allow")
      set_access(given);
    else if (key == "deny_banner")
      set_refusal(given);
    else if (key == "rw_timeout")
      draft_.lose(given.key, given.value, "the handler sets its own time limits");
    else if (key == "max_threads" && framework() == "ioctl_" && number && *number >= 1)
      draft_.set("threads-per-child", text(std::min(*number, most_threads)));
    else if (key == "max_threads" && given.value != "0")
      draft_.lose(given.key, given.value, "use more children");
  }

  void set_rest(const KeyValue& given) {
    if (given.value.empty()) return;
    const KeyRule* rule = find_rule(acl_service_keys(), given.key);
    const std::string_view prefix = framework();
    const bool of_template = rule == nullptr && !prefix.empty() && given.key.starts_with(prefix);
    const std::string key = of_template ? given.key.substr(prefix.size()) : "";
    if (of_template) rule = find_rule(acl_framework_keys(), key);
    if (rule == nullptr && given.key.starts_with("master_"))
      draft_.lose(given.key, given.value, "acl_master has no such setting");
    else if (rule == nullptr)
      draft_.hand_on(given.key, given.value);
    else if (!apply(*rule, given, draft_))
      mistakes_.push_back(text(given.place, ": ", given.key, " = ", given.value, " is not a number"));
    else if (given.key == "master_deny_info")
      set_refusal(given);
    else if (of_template && rule->form == KeyForm::used)
      set_of_template(given, key);
  }

  const KeyValueLines& lines_;
  const AclMain& main_;
  const Machine& machine_;
  Draft& draft_;
  std::vector<std::string>& mistakes_;
};

}  // namespace

AclMain convert_acl_main(std::string_view content, const std::string& file, Conversion& into) {
  const auto lines = key_value_lines(content, file, Comments::also_behind_values, Repeated::last_counts);
  for (const auto& other : lines.others) into.mistakes.push_back(other.place + ": has no '='");
  into.shared.place = file;
  for (const auto& given : lines.values) {
    const KeyRule* rule = find_rule(acl_main_keys(), given.key);
    if (rule == nullptr)
      into.mistakes.push_back(text(given.place, ": acl_master has no setting '", given.key, '\''));
    else if (!apply(*rule, given, into.shared))
      into.mistakes.push_back(text(given.place, ": ", given.key, " = ", given.value, " is not a number"));
  }
  AclMain main;
  if (const auto found = lines.find("daemon_directory"); !found.empty()) main.daemon_directory = found;
  if (const auto found = lines.find("queue_directory"); !found.empty()) main.queue_directory = found;
  return main;
}

void convert_acl_service(std::string_view content, const std::string& file, const AclMain& main,
                         const std::string& gets, const Machine& machine, Conversion& into) {
  const auto lines = key_value_lines(content, file, Comments::also_behind_values, Repeated::first_counts);
  Draft draft{.name = service_name(stem(file)), .place = file};
  for (const auto& other : lines.others)
    if (other.key != "{" && other.key != "}" && !other.key.starts_with("service"))
      draft.skip(other.key, "", "acl_master ignores a line without '='");
  AclService(lines, main, machine, draft, into.mistakes).translate(gets);
  into.services.push_back(std::move(draft));
}

}  // namespace brood::ctl
