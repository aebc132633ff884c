// SPDX-License-Identifier: MIT
// A terminal of its own for a test: a pane of tmux, whose shell runs a program, and whose screen can be read.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "eventually.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

class Tmux {
 public:
  static bool is_installed() { return std::system("tmux -V >/dev/null 2>&1") == 0; }  // NOLINT

  // `environment`: words for env(1), before the shell.
  explicit Tmux(unsigned columns = 80, unsigned rows = 24, const std::string& environment = "") {
    run("-f /dev/null new-session -d -x " + std::to_string(columns) + " -y " + std::to_string(rows) +
        " 'exec env LC_ALL=C.UTF-8 PS1= PS2= " + environment + " sh -i'");
    // The session keeps a size that no client has, and tells it to its programs.
    run("set-option -g status off");
    run("resize-window -x " + std::to_string(columns) + " -y " + std::to_string(rows));
  }
  ~Tmux() { run("kill-server"); }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;

  void resize(unsigned columns, unsigned rows) const {
    run("resize-window -x " + std::to_string(columns) + " -y " + std::to_string(rows));
  }
  void type(const std::string& line) const {  // for the shell
    run("send-keys -l -- \"" + line + "\"");
    keys("Enter");
  }
  void keys(const std::string& names) const { run("send-keys " + names); }  // "Down x y"
  // `-e`: with the sequences that set attributes.
  std::string screen(const std::string& options = "") const {
    run("capture-pane -p " + options + " > " + file("screen"));
    return read_file(file("screen"));
  }
  bool shows(const std::string& text) const {
    const bool found = eventually([&] { return screen().find(text) != std::string::npos; }, 20s);
    if (!found) MESSAGE("'" << text << "' is missing:\n" << screen());
    return found;
  }
  // What tmux knows of the pane: "alternate_on", "cursor_flag", "wrap_flag".
  std::string flag(const std::string& name) const {
    run("display-message -p '#{" + name + "}' > " + file("flag"));
    const std::string answer = read_file(file("flag"));
    return answer.substr(0, answer.find('\n'));
  }
  std::string file(const std::string& name) const { return directory_ / name; }

 private:
  void run(const std::string& arguments) const {
    const std::string command =
        "exec env -u TMUX tmux -S " + file("socket") + ' ' + arguments + " 2>" + file("errors");
    [[maybe_unused]] const int code = std::system(command.c_str());  // NOLINT: a test
  }

  TemporaryDirectory directory_;
};

// broodctl top in a pane, with the modes of the terminal before and after it.
class TopInTmux {
 public:
  TopInTmux(const Tmux& tmux, const std::string& arguments) : tmux_(tmux) {
    tmux.type("stty -g >" + tmux.file("before") + "; echo \\$\\$ >" + tmux.file("shell"));
    eventually([&] { return !read_file(tmux.file("shell")).empty(); });
    tmux.type(program_path("broodctl") + " --interval=100ms top " + arguments);
  }

  pid_t pid() const {
    eventually([&] { return running().size() == 1; });
    return running().empty() ? 0 : running().front();
  }
  // The exit code as the shell has it, if all is as before.
  std::string end() const {
    if (!eventually([&] { return running().empty(); })) return "it has not ended";
    tmux_.type("echo \\$? >" + tmux_.file("code") + "; stty -g >" + tmux_.file("after"));
    if (!eventually([&] { return read_file(tmux_.file("after")).ends_with('\n'); })) return "no shell";
    const std::string code = read_file(tmux_.file("code"));
    if (read_file(tmux_.file("before")) != read_file(tmux_.file("after"))) return "other modes";
    std::filesystem::remove(tmux_.file("after"));
    if (tmux_.flag("alternate_on") != "0") return "the other screen is shown";
    if (tmux_.flag("cursor_flag") != "1") return "there is no cursor";
    if (tmux_.flag("wrap_flag") != "1") return "lines are not wrapped";
    return code.substr(0, code.size() - 1);
  }

 private:
  std::vector<pid_t> running() const { return children_of(std::stoi(read_file(tmux_.file("shell")))); }

  const Tmux& tmux_;
};

}  // namespace brood::test
