// SPDX-License-Identifier: MIT
// A copy of an example as a user changes it: ordinary C++ that the kit's own warnings would refuse.
#include <string.h>

#include <brood/server.hpp>

class Mine : public brood::Server {
  void handle_connection(brood::Connection& connection) override {
    char buf[256] = "hello";
    int unused;
    int len = strlen(buf);
    char c = len;
    connection.write_all(std::string(buf) + char('0' + c) + "\n");
  }
};

int main(int argc, char** argv) { return Mine().run(argc, argv); }
