// SPDX-License-Identifier: MIT
#include "ctl/convert/master_cf.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ctl/convert/key_value_lines.hpp"
#include "ctl/convert/logical_lines.hpp"
#include "ctl/convert/service_text.hpp"

namespace brood::ctl {
namespace {

// Words between blanks; { } keeps blanks in one.
std::vector<std::string> braced_words(std::string_view rest) {
  std::vector<std::string> words;
  for (rest = trim(rest); !rest.empty(); rest = trim(rest)) {
    std::size_t end = 0;
    if (rest.front() == '{') {
      int depth = 0;
      do {
        depth += rest[end] == '{' ? 1 : rest[end] == '}' ? -1 : 0;
        ++end;
      } while (depth > 0 && end < rest.size());
      words.emplace_back(trim(rest.substr(1, depth == 0 ? end - 2 : end - 1)));
    } else {
      end = std::min(rest.find_first_of(" \t"), rest.size());
      words.emplace_back(rest.substr(0, end));
    }
    rest.remove_prefix(end);
  }
  return words;
}

// The parameters of main.cf that the services need, with Postfix's defaults.
struct MainCf {
  explicit MainCf(std::string_view content)
      : lines(key_value_lines(content, "", Comments::whole_lines, Repeated::last_counts)) {}
  std::string value(const std::string& key, const std::string& otherwise) const {
    const std::string found = lines.find(key);
    return found.empty() ? otherwise : found;
  }
  KeyValueLines lines;
};

class MasterCfService {
 public:
  MasterCfService(const LogicalLine& line, const MainCf& main, const Machine& machine, Conversion& into)
      : line_(line), words_(braced_words(line.content)), main_(main), machine_(machine), into_(into) {}

  void translate() {
    if (words_.size() < 8) return mistake(text("has ", words_.size(), " fields; 8 are needed"));
    draft_.name = service_name(words_[0].substr(words_[0].rfind(':') + 1));
    draft_.place = line_.place;
    if (!set_program() || !set_listener()) return;
    set_children();
    remark_on_rest();
    replace_or_add();
  }

 private:
  void mistake(const std::string& wrong) { into_.mistakes.push_back(line_.place + ": " + wrong); }
  const std::string& type() const { return words_[1]; }
  bool is(std::size_t field, bool by_default) const {
    return words_[field] == "-" ? by_default : words_[field] == "y";
  }

  bool set_program() {
    if (words_[7] == "spawn") return set_spawned();
    std::vector<std::string> words = {main_.value("daemon_directory", "/usr/lib/postfix/sbin") + '/' +
                                      words_[7]};
    for (std::size_t i = 8; i < words_.size(); ++i)
      if (words_[i] == "-o" && i + 1 < words_.size())
        set_own(words_[++i]);
      else
        words.push_back(words_[i]);
    draft_.set("command", as_command(words));
    draft_.set("command-gets", "slot");
    if (is(3, true)) draft_.set("user", main_.value("mail_owner", "postfix"));
    draft_.lose("command", words_[7],
                "Postfix's daemons speak Postfix's own protocol with master(8); a program of the kit can "
                "take the place of one");
    draft_.turn_off(words_[7] + " is a daemon of Postfix: leave it to Postfix");
    return true;
  }

  // "NAME=VALUE", or in braces with blanks around the "=".
  void set_own(const std::string& parameter) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) return mistake(text("-o ", parameter, " has no '='"));
    draft_.hand_on(trim(std::string_view(parameter).substr(0, equals)),
                   std::string(trim(std::string_view(parameter).substr(equals + 1))));
  }

  // spawn [-o NAME=VALUE] [-v] user=USER[:GROUP] argv=PROGRAM ARGUMENT …
  bool set_spawned() {
    std::vector<std::string> command;
    for (std::size_t i = 8; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      if (!command.empty())
        command.push_back(word);
      else if (word.starts_with("argv="))
        command.push_back(word.substr(5));
      else if (word.starts_with("user="))
        set_user(word.substr(5));
      else if (word == "-o" && i + 1 < words_.size())
        draft_.lose("-o", words_[++i], "parameters of Postfix mean nothing to the program");
      else
        draft_.lose("spawn", word, "it is an option of spawn(8)");
    }
    if (command.empty()) return mistake("spawn has no argv="), false;
    if (!command.front().starts_with('/'))
      return mistake(text("argv=", command.front(), " is not an absolute path")), false;
    draft_.set("command", as_command(command));
    draft_.set("command-gets", "connection");
    if (draft_.find("user") == nullptr) return mistake("spawn has no user="), false;
    const std::string limit = main_.value(words_[0] + "_time_limit", "");
    if (!as_duration(limit).empty()) draft_.set("connection-timeout", as_duration(limit));
    return true;
  }

  void set_user(const std::string& written) {
    const auto colon = written.find(':');
    draft_.set("user", written.substr(0, colon));
    if (colon != std::string::npos) draft_.set("group", written.substr(colon + 1));
  }

  bool set_listener() {
    const std::string& name = words_[0];
    const std::string path = main_.value("queue_directory", "/var/spool/postfix") +
                             (is(2, true) ? "/private/" : "/public/") + name;
    if (type() == "inet") return set_address(name);
    if (type() == "unix" || type() == "pass")
      draft_.set("listen", "unix:" + path);
    else if (type() == "unix-dgram")
      draft_.set("listen", "unix-datagram:" + path);
    else if (type() == "fifo")
      draft_.set("listen", "fifo:" + path);
    else
      return mistake(text("type '", type(), "' is not inet, unix, unix-dgram, fifo or pass")), false;
    if (type() == "pass" || type() == "unix-dgram" || type() == "fifo") {
      if (type() == "pass") draft_.lose("type", "pass", "brood takes no connections from another process");
      draft_.turn_off(text("type ", type(), " brings no connections"));
    }
    return true;
  }

  bool set_address(const std::string& name) {
    const auto colon = name.rfind(':');
    std::string host = colon == std::string::npos ? "*" : name.substr(0, colon);
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = '[' + host + ']';
    if (host.starts_with('[') && host.find(':') == std::string::npos) host = host.substr(1, host.size() - 2);
    if (const auto interfaces = main_.value("inet_interfaces", "all");
        colon == std::string::npos && interfaces != "all") {
      if (interfaces == "loopback-only")
        host = "localhost";
      else
        draft_.lose("inet_interfaces", interfaces, "give each address in listen");
    }
    const std::string written = colon == std::string::npos ? name : name.substr(colon + 1);
    const auto port = port_of(machine_, written, "tcp");
    if (!port) return mistake(text("there is no service '", written, "' of tcp in services(5)")), false;
    draft_.set("listen", text(host, ':', *port));
    return true;
  }

  void set_children() {
    draft_.set("start-servers", "0");
    draft_.set("min-spare-servers", "0");
    const std::string idle = as_duration(main_.value("max_idle", "100s"));
    draft_.set("idle-timeout", idle.empty() ? "100s" : idle);
    const std::string limit = words_[6] == "-" ? main_.value("default_process_limit", "100") : words_[6];
    if (limit == "0")
      draft_.lose("maxproc", limit, "there is always a limit, 256 if max-clients is not set");
    else if (parse_number<unsigned>(limit))
      draft_.set("max-clients", limit);
    else
      mistake(text("process limit '", limit, "' is not a number"));
  }

  void remark_on_rest() {
    if (words_[5] != "-" && words_[5] != "0")
      draft_.lose("wakeup", words_[5], "make a second service with listen = timer:TIME");
    if (is(4, false))
      draft_.lose("chroot", "y",
                  "chroot changes the root before the program is started: set it if the program and all that "
                  "it opens are there");
  }

  // Of two lines with the same name and type the last one counts; unix "smtp" is not inet "smtp".
  void replace_or_add() {
    const std::string key = words_[0] + ' ' + type();
    draft_.skip("service", key, "the name and the type in master.cf");
    for (Draft& known : into_.services) {
      if (known.remarks.back().value != key) continue;
      known = std::move(draft_);
      return;
    }
    into_.services.push_back(std::move(draft_));
  }

  const LogicalLine& line_;
  const std::vector<std::string> words_;
  const MainCf& main_;
  const Machine& machine_;
  Conversion& into_;
  Draft draft_;
};

}  // namespace

void convert_master_cf(std::string_view content, const std::string& file, std::string_view main,
                       const Machine& machine, Conversion& into) {
  const MainCf parameters(main);
  for (const auto& line : logical_lines(content, file))
    MasterCfService(line, parameters, machine, into).translate();
}

}  // namespace brood::ctl
