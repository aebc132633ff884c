// SPDX-License-Identifier: MIT
#include "brood/command_server.hpp"

#include "brood/error.hpp"

namespace brood {

void CommandServer::serve(Child& /*child*/) {
  throw Error("a program's children serve, and no loop of the kit's");
}

}  // namespace brood
