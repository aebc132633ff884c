// SPDX-License-Identifier: MIT
// The child model of a service whose program gets one connection at a time. If the program gets a slot or the
// listeners, the child becomes the program (executed_child.hpp), and nothing of this runs.
#include "brood/command_server.hpp"

#include "base/service/service_command.hpp"
#include "models/programs/connection_program.hpp"

namespace brood {

CommandServer::CommandServer(const ServiceCommand& command, std::string service, int output)
    : command_(&command), service_(std::move(service)), output_(output) {}

void CommandServer::on_child_start() { check_executable(command_->program()); }

void CommandServer::handle_connection(Connection& connection) {
  run_connection_program(*command_, service_, output_.get(), connection);
}

}  // namespace brood
