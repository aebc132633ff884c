// SPDX-License-Identifier: MIT
// Shows an echo server without a class: the handler is a lambda.
#include <brood/lambda.hpp>

int main(int argc, char** argv) {
  return brood::serve(argc, argv, [](brood::Connection& connection) {
    char buffer[4096];
    while (const auto size = connection.read_some(buffer)) connection.write_all({buffer, size});
  });
}
