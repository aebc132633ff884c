// SPDX-License-Identifier: MIT
// Where work arrives, as an operator writes it, and addresses as people read them.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace brood {

std::string to_text(const sockaddr_storage& address);  // "127.0.0.1:80", "[::1]:80", "unix:/path", "unix"

// One value of the setting "listen": ADDRESS[,name=NAME][,mode=0660][,owner=USER[:GROUP]]
struct ListenSpec {
  enum class Kind { tcp, unix_socket, inherited };

  std::string written;  // as it was given
  Kind kind = Kind::tcp;
  std::string host;  // tcp: "" is every address of this machine
  std::string port;
  std::string path;     // unix_socket
  int descriptor = -1;  // inherited
  std::string name;     // "" for the address itself
  mode_t mode = 0666;   // unix_socket
  std::string owner, group;
};

ListenSpec parse_listen(std::string_view written);          // throws ConfigurationError
bool same_place(const ListenSpec& a, const ListenSpec& b);  // whatever else they say of it

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
std::vector<SocketAddress> resolve(
    const ListenSpec& spec);  // of a tcp or unix spec; throws ConfigurationError

}  // namespace brood
