// SPDX-License-Identifier: MIT
// Shows two services under one parent, an echo and a clock. Run `pair --config=etc/pair.conf`.
#include <brood/brood.hpp>
#include <ctime>

class Echo : public brood::EventServer {
  Next handle_readable(brood::Connection& connection) override {
    char buffer[4096];
    if (const auto size = connection.try_read(buffer)) connection.write_all({buffer, *size});
    return Next::request;
  }
};

class Daytime : public brood::Server {  // RFC 867
  void handle_connection(brood::Connection& connection) override {
    char now[32];
    const std::time_t time = std::time(nullptr);
    std::tm parts{};
    connection.write_all({now, std::strftime(now, sizeof now, "%F %T UTC\r\n", gmtime_r(&time, &parts))});
  }
};

int main(int argc, char** argv) {
  Echo echo;
  Daytime daytime;
  brood::Program program;
  program.add("echo", echo);
  program.add("daytime", daytime);
  return program.run(argc, argv);
}
