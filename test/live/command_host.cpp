// SPDX-License-Identifier: MIT
// The parent of a service whose children are a program.
#include "brood/command_server.hpp"

int main(int argc, char** argv) { return brood::CommandServer().run(argc, argv); }
