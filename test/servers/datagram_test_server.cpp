// SPDX-License-Identifier: MIT
// A server for datagrams that does what each one says, and answers:
//   echo TEXT      TEXT                          wait PATH    "waited", when that file is there
//   pid            the child's pid               hold MS      "held", after a sleep
//   peer, local    the addresses                 throw TEXT   nothing: a std::runtime_error
//   listener       the listener's name           spin         nothing: a busy loop without end
//   stop           "stopping", this_child    detach PATH  this_child::detach(), then as wait
//   size           how large the datagram is     ignore       nothing
// and an empty one with "empty"; also the commands of system_commands.hpp.
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "brood/datagram_server.hpp"
#include "brood/this_child.hpp"
#include "system_commands.hpp"

namespace {

class DatagramTestServer : public brood::DatagramServer {
  void handle_datagram(brood::Datagram& datagram) override {
    const std::string text(datagram.data().substr(0, 1000));
    const std::string command = text.substr(0, text.find(' '));
    const std::string rest = text.size() > command.size() ? text.substr(command.size() + 1) : "";
    datagram.note(command);
    if (const auto of_system = brood::test::system_answer(command, rest)) datagram.reply(*of_system);
    if (text.empty()) datagram.reply("empty");
    if (command == "echo") datagram.reply(rest);
    if (command == "pid") datagram.reply(std::to_string(::getpid()));
    if (command == "peer") datagram.reply(datagram.peer());
    if (command == "local") datagram.reply(datagram.local());
    if (command == "listener") datagram.reply(datagram.listener());
    if (command == "size") datagram.reply(std::to_string(datagram.data().size()));
    if (command == "stop") {
      brood::this_child::stop();
      datagram.reply("stopping");
    }
    if (command == "detach" && !brood::this_child::detach()) throw std::runtime_error("not detached");
    if (command == "wait" || command == "detach") {
      while (::access(rest.c_str(), F_OK) != 0) ::poll(nullptr, 0, 2);
      datagram.reply("waited");
    }
    if (command == "hold") {
      ::poll(nullptr, 0, std::stoi(rest));
      datagram.reply("held");
    }
    if (command == "throw") throw std::runtime_error(rest);
    for (std::atomic<bool> go_on = command == "spin"; go_on.load();) {
    }
  }
};

}  // namespace

int main(int argc, char** argv) { return DatagramTestServer().run(argc, argv); }
