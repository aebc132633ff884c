// SPDX-License-Identifier: MIT
// A server that does what its clients say, a line each: answer, wait, crash, hang.
//
//   echo TEXT     answers TEXT                      crash       abort()
//   pid           answers the child's pid           exit N      _exit(N)
//   hold MS       sleeps, then answers "held"       raise N     a signal to itself
//   wait          nothing, until the client closes  throw TEXT  a std::runtime_error
//   note TEXT     sets the note, answers "noted"    throw-int   an exception that is no std::exception
//   listener      answers the listener's name       spin        a busy loop without end
//   peer, local   answer the addresses              deaf        ignores SIGABRT from now on, answers "deaf"
//   client        answers what is known of the client
//   extend MS     extends the deadline, "extended"  nodelay    answers TCP_NODELAY of its socket: "0" or "1"
//   option L N    answers the option N of level L of its socket
//   leaving       answers "yes" or "no"             bye         answers "bye" and ends the connection
//   env NAME      answers what the environment has  version     answers what this program was built with
//   word          answers the setting of that name  flood N     answers N bytes and ends the connection
//   log TEXT      logs a warning, answers "logged"  fork        leaves a grandchild that sleeps, answers its
//   pid
//   terminate     an exception that leaves a thread
//   stop          this_child::stop(), "stopping"    detach      this_child::detach(), answers "detached"
// and those of system_commands.hpp.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "brood/error.hpp"
#include "brood/program.hpp"
#include "brood/server.hpp"
#include "brood/settings.hpp"
#include "brood/this_child.hpp"
#include "client_command.hpp"
#include "system_commands.hpp"

#ifndef TEST_SERVER_VERSION
#define TEST_SERVER_VERSION "one"
#endif

namespace {

std::string after(const std::string& line, const std::string& command) {
  return line.size() > command.size() ? line.substr(command.size() + 1) : "";
}

class TestServer : public brood::Server {
  std::string version() const override { return TEST_SERVER_VERSION; }
  void add_settings(brood::Settings& settings) override {
    if (const char* const name = std::getenv("EXTRA_SETTING")) settings.text(name, extra_, "For a test.");
    settings.text("word", word_, "What the command 'word' answers.");
    settings.text("fixed-word", fixed_word_, "What the command 'fixed-word' answers.").applied_on =
        brood::AppliedOn::restart;
    settings.text("digits", digits_, "A number that is read by code that throws what it likes.").parse =
        [this](const std::vector<std::string>& values) {
          if (values.front() == "anything") throw 42;
          return [this, number = std::stoi(values.front())] { digits_ = std::to_string(number); };
        };
    settings.text(
        "child-start", child_start_,
        "A file that tells each child what to do when it starts: exit N, throw TEXT, crash, slow MS, "
        "late MS (fail after that time), doomed MS (die after that time), or nothing.");
    settings.text("child-leaving", child_leaving_,
                  "What a child does when it leaves: hang, hold, slow MS, throw TEXT, or nothing.");
    settings.text("refuse", refuse_, "An exception for on_parent_start to throw.");
    settings.path("parent-start", parent_start_, "A file that tells the parent what to do when it starts.");
  }

  void on_parent_start() override {
    if (refuse_ == "anything") throw 42;
    if (!refuse_.empty()) throw std::runtime_error(refuse_);
    obey_file(parent_start_);
  }
  void on_reload() override {
    brood::log_info("test_server: reloaded, word = " + word_);
    if (word_ == "anything") throw 42;
  }
  void on_child_exit() override { brood::log_info("test_server: a child leaves"); }

  void on_child_start() override { obey_file(child_start_); }

  static void obey_file(const std::string& path) {
    if (path.empty()) return;
    std::ifstream file(path);
    std::string order;
    std::getline(file, order);
    if (order.starts_with("exit ")) ::_exit(std::stoi(order.substr(5)));
    if (order.starts_with("throw-configuration ")) throw brood::ConfigurationError(order.substr(20));
    if (order.starts_with("throw ")) throw std::runtime_error(order.substr(6));
    if (order.starts_with("leak ")) leak(std::stoul(order.substr(5)));
    if (order == "crash") std::abort();
    if (order == "hang") ::pause();
    if (order == "thread") std::thread([] { ::pause(); }).detach();
    if (order.starts_with("slow ")) ::poll(nullptr, 0, std::stoi(order.substr(5)));
    if (order.starts_with("late ")) {
      ::poll(nullptr, 0, std::stoi(order.substr(5)));
      throw std::runtime_error("the database does not answer");
    }
    if (order.starts_with("doomed ")) {
      std::signal(SIGALRM, SIG_DFL);
      const itimerval time{.it_interval = {},
                           .it_value = {.tv_sec = 0, .tv_usec = std::stoi(order.substr(7)) * 1000}};
      ::setitimer(ITIMER_REAL, &time, nullptr);
    }
    if (order == "stop") brood::this_child::stop();
    if (order == "detach" && brood::this_child::detach()) brood::log_error("test_server: detached too early");
  }

  void on_child_leaving() override {
    brood::log_info("test_server: child " + std::to_string(::getpid()) + " hears that it leaves");
    if (child_leaving_ == "hang") ::pause();
    if (child_leaving_.starts_with("slow ")) ::poll(nullptr, 0, std::stoi(child_leaving_.substr(5)));
    if (child_leaving_ == "hold") {
      ::poll(nullptr, 0, 300);
      brood::log_info("test_server: child " + std::to_string(::getpid()) + " has held");
    }
    if (child_leaving_.starts_with("throw ")) throw std::runtime_error(child_leaving_.substr(6));
  }

  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line())
      if (!obey(connection, *line)) return;
  }

  // False: the connection ends.
  bool obey(brood::Connection& connection, const std::string& line) {
    const auto answer = [&](const std::string& text) { connection.write_all(text + '\n'); };
    const std::string command = line.substr(0, line.find(' '));
    const std::string rest = after(line, command);
    if (const auto of_system = brood::test::system_answer(command, rest)) answer(*of_system);
    if (command == "echo") answer(rest);
    if (command == "pid") answer(std::to_string(::getpid()));
    if (command == "listener") answer(std::string(connection.listener()));
    if (command == "peer") answer(connection.peer());
    if (command == "local") answer(connection.local());
    if (command == "option") answer(option(connection.descriptor(), rest));
    if (command == "client") answer(brood::test::describe_client(connection));
    if (command == "nodelay") answer(std::to_string(nodelay(connection.descriptor())));
    if (command == "leaving") answer(connection.leaving() ? "yes" : "no");
    if (command == "version") answer(TEST_SERVER_VERSION);
    if (command == "word") answer(word_);
    if (command == "env") {
      const char* value = std::getenv(rest.c_str());
      answer(value == nullptr ? "unset" : value);
    }
    if (command == "fixed-word") answer(fixed_word_);
    if (command == "hold") {
      ::poll(nullptr, 0, std::stoi(rest));
      answer("held");
    }
    if (command == "wait")
      while (connection.read_line()) {
      }
    if (command == "note") {
      connection.note(rest);
      answer("noted");
    }
    if (command == "log") {
      brood::log_warning(rest);
      answer("logged");
    }
    if (command == "extend") {
      connection.extend_deadline(std::chrono::milliseconds(std::stoi(rest)));
      answer("extended");
    }
    if (command == "stop") {
      brood::this_child::stop();
      answer("stopping");
    }
    if (command == "detach") answer(brood::this_child::detach() ? "detached" : "not detached");
    if (command == "deaf") {
      std::signal(SIGABRT, SIG_IGN);
      answer("deaf");
    }
    if (command == "copy") {
      const pid_t copy = ::fork();
      if (copy == 0) return false;
      answer(std::to_string(copy));
    }
    if (command == "fork") answer(std::to_string(leave_grandchild()));
    if (command == "terminate") std::thread([] { throw std::runtime_error("no way out"); }).join();
    if (command == "crash") std::abort();
    if (command == "exit") ::_exit(std::stoi(rest));
    if (command == "raise") {
      std::signal(std::stoi(rest), SIG_DFL);  // a sanitizer may have it
      std::raise(std::stoi(rest));
    }
    if (command == "throw") throw std::runtime_error(rest);
    if (command == "throw-int") throw 1;  // NOLINT: that is what is tested
    if (command == "leak") {              // so many KiB
      leak(std::stoul(rest));
      answer("leaked");
    }
    if (command == "spin") spin();
    if (command == "flood") {
      connection.write_all(std::string(std::stoul(rest), 'x'));
      return false;
    }
    if (command == "end-listeners") {
      for (int descriptor = 3; descriptor < 64; ++descriptor) {
        int listens = 0;
        socklen_t size = sizeof listens;
        if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0)
          ::shutdown(descriptor, SHUT_RDWR);
      }
      answer("ended");
    }
    if (command == "block-events") {  // whatever the parent shares with its children
      for (int descriptor = 3; descriptor < 64; ++descriptor)
        ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
      answer("blocking");
    }
    if (command == "scribble") {
      scribble(rest);
      answer("scribbled");
    }
    if (command == "bye") answer("bye");
    return command != "bye";
  }

  // "LEVEL NAME", as numbers.
  static std::string option(int socket, const std::string& level_and_name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(socket, std::stoi(level_and_name),
                 std::stoi(level_and_name.substr(level_and_name.find(' '))), &value, &size);
    return std::to_string(value);
  }

  static int nodelay(int socket) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &value, &size);
    return value;
  }

  static void leak(std::size_t kibibytes) {
    static std::vector<std::string> leaked;
    leaked.emplace_back(kibibytes * 1024, 'x');
  }

  static void spin() {
    std::atomic<bool> go_on = true;
    while (go_on.load()) {
    }
  }

  // Writes over all that a child can write of its scoreboard, the lock included.
  static void scribble(const std::string& pattern) {
    std::ifstream maps("/proc/self/maps");
    std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
    for (std::string line; std::getline(maps, line);) {
      if (line.find(" rw-s ") == std::string::npos || line.find("board") == std::string::npos) continue;
      const auto dash = line.find('-');
      const auto begin = std::stoull(line, nullptr, 16);
      const auto end = std::stoull(line.substr(dash + 1), nullptr, 16);
      const auto neighbour = static_cast<std::uint64_t>(::getpid()) + 1;
      for (auto at = begin; at < end; at += sizeof(std::uint64_t)) {
        std::uint64_t value = random();
        if (pattern == "zero") value = 0;
        if (pattern == "ones") value = UINT64_MAX;
        if (pattern == "pids") value = neighbour << 32U | neighbour;
        if (pattern == "own-pid") value = (neighbour - 1) << 32U | (neighbour - 1);
        if (pattern == "bits") value = 0x0101010101010101;
        if (pattern == "serving") value = 0x0000000200000002;
        if (pattern == "leaving") value = 0x0000000300000003;
        if (pattern == "detached") value = 0x0008000300080003;
        if (pattern == "lock-owner-died") value = 0x4000000040000000;
        if (pattern == "lock-waiters") value = 0x8000000080000000;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address from the list of mappings
        *reinterpret_cast<volatile std::uint64_t*>(at) = value;
      }
    }
  }

  static pid_t leave_grandchild() {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, 0);
    ::close_range(3, ~0U, 0);  // the connection among them
    ::poll(nullptr, 0, 600'000);
    ::_exit(0);
  }

  std::string word_ = "none", fixed_word_ = "none", child_start_, child_leaving_, parent_start_, refuse_;
  std::string digits_ = "0", extra_;
};

}  // namespace

#ifdef TWO_TEST_SERVERS
int main(int argc, char** argv) {
  TestServer left, right;
  brood::Program program;
  program.add("left", left);
  program.add("right", right);
  program.set_version("two services");
#ifdef THREE_TEST_SERVERS
  TestServer middle;
  program.add("middle", middle);
#endif
  return program.run(argc, argv);
}
#else
int main(int argc, char** argv) { return TestServer().run(argc, argv); }
#endif
