// SPDX-License-Identifier: MIT
// Servers from a lambda. Answers each line with the thread's id; with BROOD_TEST_SERVER=threads it says that
// it is thread-safe.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "brood/lambda.hpp"

int main(int argc, char** argv) {
  std::atomic<unsigned> served = 0;  // in each child
  const auto answer = [&](brood::Connection& connection) {
    while (connection.read_line()) connection.write_all(std::to_string(::gettid()) + '\n');
    ++served;
  };
  const char* kind = std::getenv("BROOD_TEST_SERVER");  // NOLINT(concurrency-mt-unsafe)
  if (kind != nullptr && std::string_view(kind) == "threads")
    return brood::serve(argc, argv, brood::thread_safe, answer);
  return brood::serve(argc, argv, answer);
}
