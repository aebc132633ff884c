// SPDX-License-Identifier: MIT
// Shows a handler that may run in several threads of a child. It looks up host names, a line each: most of
// its time it waits for a name server, and it shares no data with other threads. Run `resolver
// --threads-per-child=io`.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <brood/server.hpp>
#include <memory>

class Resolver : public brood::Server {
  bool thread_safe() const override { return true; }

  void handle_connection(brood::Connection& connection) override {
    while (const auto name = connection.read_line(253)) {
      connection.note(*name);
      connection.write_all(*name + addresses_of(*name) + '\n');
    }
  }

  static std::string addresses_of(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found); error != 0)
      return std::string(": ") + gai_strerror(error);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    std::string all;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      char host[INET6_ADDRSTRLEN] = "";
      getnameinfo(one->ai_addr, one->ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
      all += std::string(" ") + host;
    }
    return all;
  }
};

int main(int argc, char** argv) { return Resolver().run(argc, argv); }
