// SPDX-License-Identifier: MIT
// A client in plain blocking code, over TCP or a unix socket. Every wait has a deadline; how a connection
// ended is told apart, because "reset" is what the server promises not to do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "brood/descriptor.hpp"
#include "eventually.hpp"

namespace brood::test {

enum class Ending { closed, reset, refused, timed_out, other };

class ClientError : public std::runtime_error {
 public:
  ClientError(Ending ending, const std::string& what) : std::runtime_error(what), ending_(ending) {}
  Ending ending() const { return ending_; }

 private:
  Ending ending_;
};

class Client {
 public:
  // As the server's log names it: "127.0.0.1:80", "[::1]:80", "unix:/path". Each wait lasts for `deadline` at
  // most. Throws ClientError.
  explicit Client(const std::string& address, std::chrono::milliseconds deadline = patience);

  void limit_waits(std::chrono::milliseconds deadline) const;  // from now on
  void send(std::string_view data);
  std::string receive_some();  // "": the server has closed
  std::string line();          // without its end; throws ClientError (closed) where there is none
  std::string until_end();
  Ending ending();  // waits for the end; what comes before it is dropped

  // A line to the server, and the line that it answers.
  std::string ask(std::string_view question) {
    send(std::string(question) + '\n');
    return line();
  }
  // Of the test_server child that has this connection in hand.
  pid_t child() { return static_cast<pid_t>(std::stol(ask("pid"))); }

  void finish_sending();  // the server sees the end, and may still answer
  void close() { socket_.reset(); }
  void abandon();  // with a reset

 private:
  Descriptor socket_;
  std::string unread_;
};

// Whether who comes now is answered so, and whether it is turned away; to be asked until it is.
bool answers(const std::string& address, std::string_view question, std::string_view answer);
bool refuses(const std::string& address, std::string_view question);

}  // namespace brood::test
