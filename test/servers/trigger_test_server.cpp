// SPDX-License-Identifier: MIT
// A server for triggers that writes each one as a line into the file `out`:
//   PID LISTENER MISSED SIZE TEXT
// and before that does what the text says; a tick has the text of the setting `tick`. A newline comes first:
// a child that is killed while it writes leaves a part of its line, which is known by its size, and the next
// line is whole.
//   wait PATH   until that file is there     throw TEXT   a std::runtime_error
//   hold MS     sleeps                       spin         a busy loop without end
//   stop        this_child::stop()           detach PATH  this_child::detach(), then as wait
// and those of system_commands.hpp, whose answers it logs.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "brood/log.hpp"
#include "brood/settings.hpp"
#include "brood/this_child.hpp"
#include "brood/trigger_server.hpp"
#include "system_commands.hpp"

namespace {

class TriggerTestServer : public brood::TriggerServer {
  void add_settings(brood::Settings& settings) override {
    settings.text("out", out_, "Where triggers are written down.");
    settings.text("tick", tick_, "The text of a tick.");
  }

  void on_child_start() override {
    file_.reset(::open(out_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  }

  void handle_trigger(brood::Trigger& trigger) override {
    const bool tick = trigger.kind() == brood::TriggerKind::timer;
    const std::string text = tick ? tick_ : std::string(trigger.text());
    const std::string command = text.substr(0, text.find(' '));
    const std::string rest = text.size() > command.size() ? text.substr(command.size() + 1) : "";
    if (const auto of_system = brood::test::system_answer(command, rest))
      brood::log_info("test_server: " + *of_system);
    if (command == "stop") brood::this_child::stop();
    if (command == "detach" && !brood::this_child::detach()) throw std::runtime_error("not detached");
    if (command == "wait" || command == "detach")
      while (::access(rest.c_str(), F_OK) != 0) ::poll(nullptr, 0, 2);
    if (command == "hold") ::poll(nullptr, 0, std::stoi(rest));
    if (command == "note") trigger.note(rest);
    if (command == "throw") throw std::runtime_error(rest);
    for (std::atomic<bool> go_on = command == "spin"; go_on.load();) {
    }
    const std::string record = '\n' + std::to_string(::getpid()) + ' ' + std::string(trigger.listener()) +
                               ' ' + std::to_string(trigger.missed()) + ' ' + std::to_string(text.size()) +
                               ' ' + text + '\n';
    if (::write(file_.get(), record.data(), record.size()) != static_cast<ssize_t>(record.size()))
      throw std::runtime_error("no room for a record");
  }

  std::string out_ = "/dev/null", tick_;
  brood::Descriptor file_;
};

}  // namespace

int main(int argc, char** argv) { return TriggerTestServer().run(argc, argv); }
