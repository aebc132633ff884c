// An echo server: each child puts its process id before what it was sent.
#include <unistd.h>

#include <brood/server.hpp>

class Echo : public brood::Server {
  std::string pid_;
  void on_child_start() override { pid_ = std::to_string(getpid()) + ": "; }
  void handle_connection(brood::Connection& connection) override {
    char buffer[4096];
    while (auto n = connection.read_some(buffer)) connection.write_all(pid_ + std::string(buffer, n));
  }
};

int main(int argc, char** argv) { return Echo().run(argc, argv); }
