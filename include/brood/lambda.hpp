// SPDX-License-Identifier: MIT
// A server from a lambda instead of a class: the body of main() is
//   return brood::serve(argc, argv, [](brood::Connection& connection) { … });
// Hooks and settings of its own need a class (brood/server.hpp).
#pragma once

#include <utility>

#include "brood/server.hpp"

namespace brood {

template <typename Handler>
int serve(int argc, char** argv, Handler handler) {
  struct LambdaServer final : Server {
    explicit LambdaServer(Handler given) : handle(std::move(given)) {}
    void handle_connection(Connection& connection) override { handle(connection); }
    Handler handle;  // each child has its own copy: fork() made it
  };
  return LambdaServer(std::move(handler)).run(argc, argv);
}

}  // namespace brood
