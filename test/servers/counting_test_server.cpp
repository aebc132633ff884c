// SPDX-License-Identifier: MIT
// A server with figures of its own, which says how each connection has ended. A line each:
//
//   count N       adds N to the counter "things", answers "counted"
//   hold          adds 1 to the gauge "held" until the client closes, answers "holding"
//   note TEXT     sets the note, answers "noted"
//   pid           answers the child's pid
//   sleep MS      answers "slept"
//   load          answers SPARES BUSY WAITING MILLISECONDS
//   detach        this_child::detach(), answers "detached"
//   throw, late   end by an exception: one of the handler, one that says that a time limit is over
//   crash         abort()
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <brood/brood.hpp>
#include <cstdlib>

namespace {

class CountingServer : public brood::Server {
  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override {
    settings.flag("measure", measures_, "Measure how long connections wait.");
    settings.flag("privileged", privileged_, "Open what only root may open, and say so.");
    settings.text("end", end_, "What on_connection_end does: throw, or nothing.");
  }
  void add_counters(brood::Counters& counters) override {
    counters.counter("things", things_, "Things that were counted.");
    counters.gauge("held", held_, "Connections that are held.");
    if (std::getenv("ONE_COUNTER_MORE") != nullptr) counters.counter("more", more_, "Connections again.");
    if (const char* const name = std::getenv("COUNTER_NAME")) counters.counter(name, more_, "");
  }
  void on_parent_start() override { things_.add(1'000'000); }  // of the parent: nobody sees it
  void on_child_privileged() override {
    if (!privileged_) return;
    shadow_ = brood::Descriptor(::open("/etc/shadow", O_RDONLY | O_CLOEXEC));
    brood::log_info("on_child_privileged: uid " + std::to_string(::geteuid()) +
                    (shadow_ ? ", opened" : ", refused"));
  }
  void on_child_start() override {
    if (measures_) brood::this_child::measure_wait();
  }
  void on_connection_end(const brood::Ended& ended) override {
    more_.add();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(ended.duration).count();
    brood::log_info("ended: " + ended.peer.text() + " at " + std::string(ended.listener) + ", note '" +
                    std::string(ended.note) + "', waited " +
                    (ended.waited ? std::to_string(ended.waited->count()) : "unknown") + ", took " +
                    std::to_string(microseconds) + ", read " + std::to_string(ended.bytes_read) +
                    ", written " + std::to_string(ended.bytes_written) + ", " +
                    std::string(brood::name_of(ended.outcome)));
    if (end_ == "throw") throw std::runtime_error("no end");
  }

  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line()) connection.write_all(obey(connection, *line), "\n");
  }

  std::string obey(brood::Connection& connection, const std::string& line) {
    const auto blank = line.find(' ');
    const std::string command = line.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (command == "count") {
      things_.add(std::stoull(rest));
      return "counted";
    }
    if (command == "hold") {
      held_.add();
      connection.write_all("holding\n");
      while (connection.read_line()) {
      }
      held_.subtract();
      return "";
    }
    if (command == "note") {
      connection.note(rest);
      return "noted";
    }
    if (command == "sleep") {
      ::poll(nullptr, 0, std::stoi(rest));
      return "slept";
    }
    if (command == "load") {
      const auto load = brood::this_child::load();
      return std::to_string(load.spares) + ' ' + std::to_string(load.busy) + ' ' +
             std::to_string(load.waiting) + ' ' + std::to_string(load.expected_wait.count());
    }
    if (command ==
        "shadow") {  // the first byte of what was opened with privileges; and whether it can be opened now
      char byte = 0;
      const bool readable = ::pread(shadow_.get(), &byte, 1, 0) == 1;
      const brood::Descriptor again(::open("/etc/shadow", O_RDONLY | O_CLOEXEC));
      return std::string(readable ? "readable" : "unreadable") + (again ? ", opened" : ", refused");
    }
    if (command == "pid") return std::to_string(::getpid());
    if (command == "detach") return brood::this_child::detach() ? "detached" : "not detached";
    if (command == "throw") throw std::runtime_error("on purpose");
    if (command == "late") throw brood::TimeoutError("too late");
    if (command == "crash") std::abort();
    return "?";
  }

  brood::Counter things_, more_;
  brood::Gauge held_;
  bool measures_ = false, privileged_ = false;
  brood::Descriptor shadow_;
  std::string end_;
};

}  // namespace

int main(int argc, char** argv) { return CountingServer().run(argc, argv); }
