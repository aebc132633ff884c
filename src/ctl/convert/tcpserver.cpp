// SPDX-License-Identifier: MIT
#include "ctl/convert/tcpserver.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/service/service_command.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/convert/service_text.hpp"

namespace brood::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view flags = "qQvXU1oOdDhHpPrR46";
constexpr std::string_view with_argument = "cxBgubltI";
constexpr auto own_limit = "40";  // tcpserver's, without -c

struct CommandLine {
  std::string place;
  std::vector<std::string> before;      // envuidgid USER and others
  std::map<char, std::string> options;  // the last one counts
  std::vector<std::string> arguments;   // host, port, program, its arguments
};

bool is_tcpserver(const std::string& word) { return fs::path(word).filename() == "tcpserver"; }

// The first command with tcpserver. A line that ends with a backslash goes on in the next one.
std::string find_command(std::string_view content, const std::string& file, std::string& place) {
  std::string command;
  std::size_t number = 0;
  for (const auto line : split(content, '\n')) {
    ++number;
    if (command.empty()) place = text(file, ':', number);
    command += trim(line);
    if (command.starts_with('#')) command.clear();
    if (command.ends_with('\\')) {
      command.back() = ' ';
      continue;
    }
    if (command.find("tcpserver") != std::string::npos) return command;
    command.clear();
  }
  return "";
}

// As getopt(3): "-vRl0", "-c 40", "-c40". False: one is not known, or its argument is missing.
bool read_options(const std::vector<std::string>& words, std::size_t at, CommandLine& line,
                  std::string& wrong) {
  for (; at < words.size() && words[at].size() > 1 && words[at].front() == '-'; ++at) {
    if (words[at] == "--") {
      ++at;
      break;
    }
    for (std::size_t i = 1; i < words[at].size(); ++i) {
      const char option = words[at][i];
      wrong = text("option -", option, " is not known, or its argument is missing");
      if (flags.find(option) != std::string_view::npos) {
        line.options[option] = "";
        continue;
      }
      if (with_argument.find(option) == std::string_view::npos) return false;
      std::string argument = words[at].substr(i + 1);
      if (argument.empty() && ++at == words.size()) return false;
      line.options[option] = argument.empty() ? words[at] : argument;
      break;
    }
  }
  line.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())), words.end());
  wrong = "host, port and program are needed";
  return line.arguments.size() >= 3;
}

class TcpserverService {
 public:
  TcpserverService(const CommandLine& line, const Machine& machine, Draft& draft)
      : line_(line), machine_(machine), draft_(draft) {}

  // Returns what is wrong; "": nothing.
  std::string translate() {
    const std::string& host = line_.arguments[0];
    const auto port = port_of(machine_, line_.arguments[1], "tcp");
    if (!port) return text("there is no service '", line_.arguments[1], "' of tcp in services(5)");
    const std::vector<std::string> command(line_.arguments.begin() + 2, line_.arguments.end());
    draft_.set("command", as_command(command));
    draft_.set("command-gets", "connection");
    if (!command.front().starts_with('/')) draft_.turn_off(text(command.front(), " is not an absolute path"));
    const std::string every = has('4') ? "0.0.0.0" : "*";
    const std::string name = host.find(':') != std::string::npos ? '[' + host + ']' : host;
    draft_.set("listen", text(host == "0" ? every : name, ':', *port, has('d') ? ",nagle" : ""));
    draft_.set("max-clients", has('c') ? value('c') : own_limit);
    for (const char* setting : {"start-servers", "min-spare-servers"}) draft_.set(setting, "0");
    draft_.set("idle-timeout", "1m");
    if (has('b')) draft_.set("listen-backlog", value('b'));
    set_user();
    remark_on_environment();
    remark_on_rest();
    return "";
  }

 private:
  bool has(char option) const { return line_.options.contains(option); }
  std::string value(char option) const { return has(option) ? line_.options.at(option) : ""; }

  void set_user() {
    bool user_is_known = false;
    for (auto word = line_.before.begin(); word != line_.before.end(); ++word) {
      const std::string tool = fs::path(*word).filename();
      const bool takes_user = tool == "envuidgid" || tool == "setuidgid";
      if (*word == "exec" || (takes_user && std::next(word) == line_.before.end())) continue;
      if (takes_user) {
        ++word;
        user_is_known = true;
        if (tool == "setuidgid" || has('U')) draft_.set("user", *word);
      } else {
        draft_.lose("before tcpserver", *word, "brood starts the program by itself");
      }
    }
    if (has('U') && !user_is_known) {
      draft_.lose("-U", "", "the environment of tcpserver has the user; set user");
      draft_.turn_off("its user is not known");
    }
    if (has('u')) draft_.set("user", value('u'));
    if (has('g')) draft_.set("group", value('g'));
  }

  // What tcpserver looks up, unless it is told not to.
  void remark_on_environment() {
    if (!has('H')) draft_.lose("-h", "", "TCPREMOTEHOST is not set");
    if (has('p')) draft_.lose("-p", "", "names are not looked up");
    if (value('l') != "0") draft_.lose("-l", value('l'), "TCPLOCALHOST is not set");
    if (!has('R')) draft_.lose("-r", "", "TCPREMOTEINFO is not set");
  }

  void remark_on_rest() {
    if (has('x')) {
      draft_.lose("-x", value('x'), "rules of tcprules are not read: write them as allow and deny");
      draft_.turn_off(text("the rules in ", value('x'), " decide who may connect"));
    }
    if (has('B')) draft_.lose("-B", value('B'), "the program writes it");
    if (has('o')) draft_.lose("-o", "", "the kernel decides about source routes");
    if (has('I')) draft_.lose("-I", value('I'), "give the scope of the address in listen");
    if (has('6')) draft_.lose("-6", "", "PROTO is TCP6 only if the connection is IPv6");
    if (has('1')) draft_.skip("-1", "", "the log and broodctl list have the port");
    // Only the shell that runs the script knows these.
    for (const auto& [setting, written] : draft_.settings)
      if (written.find_first_of("$`|<>;&") != std::string::npos)
        draft_.turn_off(text(setting, " = ", written, " needs a shell"));
  }

  const CommandLine& line_;
  const Machine& machine_;
  Draft& draft_;
};

}  // namespace

void convert_tcpserver(std::string_view content, const std::string& file, const Machine& machine,
                       Conversion& into) {
  CommandLine line;
  const std::string command = find_command(content, file, line.place);
  const auto mistake = [&](const std::string& wrong) { into.mistakes.push_back(line.place + ": " + wrong); };
  try {
    std::vector<std::string> words = split_words(command);
    while (!words.empty() && (words.back() == "2>&1" || words.back() == "&")) words.pop_back();
    const auto tcpserver = std::ranges::find_if(words, is_tcpserver);
    if (tcpserver == words.end()) return mistake("no command runs tcpserver");
    line.before.assign(words.begin(), tcpserver);
    std::string wrong;
    if (!read_options(words, static_cast<std::size_t>(tcpserver - words.begin()) + 1, line, wrong))
      return mistake(wrong);
    const fs::path path = fs::absolute(file);
    Draft draft{.name = service_name((path.filename() == "run" ? path.parent_path() : path).stem().string()),
                .place = line.place};
    wrong = TcpserverService(line, machine, draft).translate();
    if (!wrong.empty()) return mistake(wrong);
    into.services.push_back(std::move(draft));
  } catch (const ConfigurationError& error) {
    mistake(error.what());
  }
}

}  // namespace brood::ctl
