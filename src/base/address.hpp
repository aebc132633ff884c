// SPDX-License-Identifier: MIT
// Where work arrives, as an operator writes it, and addresses as people read them.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brood/child_model.hpp"

namespace brood {

std::string to_text(const sockaddr_storage& address);  // "127.0.0.1:80", "[::1]:80", "unix:/path", "unix"

// One value of the setting "listen":
// ADDRESS[,name=NAME][,mode=0660][,owner=USER[:GROUP]][,per=line|byte]
struct ListenSpec {
  enum class Kind { tcp, unix_socket, inherited, udp, unix_datagram, timer, fifo };

  std::string written;  // as it was given
  Kind kind = Kind::tcp;
  std::string host;  // tcp, udp: "" is every address of this machine
  std::string port;
  std::string path;                     // unix_socket, unix_datagram, fifo
  int descriptor = -1;                  // inherited
  std::chrono::milliseconds period{0};  // timer
  std::string name;                     // "" for the address itself
  mode_t mode = 0666;                   // of what has a path
  std::string owner, group;
  TriggerKind per = TriggerKind::line;  // fifo

  bool has_path() const { return !path.empty(); }
  // What it brings. Empty: an inherited descriptor tells when it is taken over.
  std::optional<WorkKind> brings() const;
};

ListenSpec parse_listen(std::string_view written);          // throws ConfigurationError
bool same_place(const ListenSpec& a, const ListenSpec& b);  // whatever else they say of it
// For people, behind "listen = …".
std::string work_mismatch(WorkKind brought, WorkKind taken);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
std::vector<SocketAddress> resolve(const ListenSpec& spec);  // of a socket's spec; throws ConfigurationError

}  // namespace brood
