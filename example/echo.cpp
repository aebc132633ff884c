#include <unistd.h>

#include <brood/server.hpp>

class Echo : public brood::Server {
  void handle_connection(brood::Connection& connection) override {
    char buffer[4096];
    while (auto n = connection.read_some(buffer))
      connection.write_all(std::to_string(getpid()) + ": " + std::string(buffer, n));
  }
};

int main(int argc, char** argv) {
  return Echo().run(argc, argv);
}
