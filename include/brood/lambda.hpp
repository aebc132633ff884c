// SPDX-License-Identifier: MIT
// A server from a lambda instead of a class. The body of main() is
//   return brood::serve(argc, argv, [](brood::Connection& connection) { … });
// or, if the lambda may run in several threads of a child at once (threads-per-child),
//   return brood::serve(argc, argv, brood::thread_safe, [](brood::Connection& connection) { … });
// Hooks, and settings of the server's own, need a class (brood/server.hpp).
#pragma once

#include "brood/cxx20.hpp"

#include <utility>

#include "brood/server.hpp"

namespace brood {

struct ThreadSafe {};
inline constexpr ThreadSafe thread_safe{};

template <bool in_threads, typename Handler>
class LambdaServer final : public Server {
 public:
  explicit LambdaServer(Handler handler) : handler_(std::move(handler)) {}

 private:
  bool thread_safe() const override { return in_threads; }
  void handle_connection(Connection& connection) override { handler_(connection); }
  Handler handler_;  // fork() gives each child a copy, which the threads of the child share
};

template <typename Handler>
int serve(int argc, char** argv, Handler handler) {
  return LambdaServer<false, Handler>(std::move(handler)).run(argc, argv);
}

template <typename Handler>
int serve(int argc, char** argv, ThreadSafe /*thread_safe*/, Handler handler) {
  return LambdaServer<true, Handler>(std::move(handler)).run(argc, argv);
}

}  // namespace brood
