// SPDX-License-Identifier: MIT
// Runs a program for each connection, which is its standard input and output, as inetd and tcpserver do. The
// blocking child model; knows nothing of slots and signals' orders.
#pragma once

#include <string>

#include "base/service_command.hpp"
#include "brood/server.hpp"

namespace brood {

class ConnectionProgram final : public Server {
 public:
  // `command` outlives it.
  ConnectionProgram(const ServiceCommand& command, std::string service)
      : command_(command), service_(std::move(service)) {}

 private:
  void on_child_start() override { check_executable(command_.program()); }
  // Until the program has ended; an exit code other than 0 is an exception.
  void handle_connection(Connection& connection) override;

  const ServiceCommand& command_;
  const std::string service_;
};

}  // namespace brood
