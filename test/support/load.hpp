// SPDX-License-Identifier: MIT
// Clients that ask without pause, each in a thread of its own: connect, one question, its answer, close,
// again. Every connection is counted as exactly one of the outcomes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"

namespace brood::test {

struct LoadFigures {
  std::uint64_t answered = 0;  // the right answer
  std::uint64_t refused = 0;   // no connection: nobody listens
  std::uint64_t reset = 0;
  std::uint64_t closed = 0;  // the server closed without an answer
  std::uint64_t timed_out = 0;
  std::uint64_t other = 0;  // among them wrong answers

  std::uint64_t lost() const { return reset + closed + timed_out + other; }
  std::uint64_t failed() const { return refused + lost(); }
};

class Load {
 public:
  // `question` is one of the test_server's commands whose answer is `answer`.
  Load(std::string address, unsigned clients, std::string question = "echo load",
       std::string answer = "load");
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadFigures figures() const;
  // Waits until so many more connections were answered; false at the deadline.
  bool more_answers(std::uint64_t number);
  LoadFigures stop();  // each client finishes its connection first

 private:
  void live();
  void one_connection();

  const std::string address_, question_, answer_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> answered_ = 0;
  std::array<std::atomic<std::uint64_t>, 5> endings_{};
  std::vector<std::thread> threads_;
};

class ServerProcess;

// Waits until the server has counted each of these connections as finished, and has none open.
bool counts_all(const ServerProcess& server, const LoadFigures& figures);

}  // namespace brood::test
