// SPDX-License-Identifier: MIT
#include <brood/lambda.hpp>

int main(int argc, char** argv) {
  const std::string farewell = "bye\n";
  return brood::serve(argc, argv, [&](brood::Connection& connection) { connection.write_all(farewell); });
}
