// SPDX-License-Identifier: MIT
// Addresses: the values of the setting "listen", and socket addresses printed for people.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/service/socket_options.hpp"
#include "brood/child_model.hpp"

namespace brood {

std::string to_text(const sockaddr_storage& address);  // "127.0.0.1:80", "[::1]:80", "unix:/path", "unix"

// A value of the setting "listen":
// ADDRESS[,name=NAME][,mode=0660][,owner=USER[:GROUP]][,per=line|byte][,nagle][,proxy]
struct ListenSpec {
  enum class Kind { tcp, unix_socket, inherited, udp, unix_datagram, timer, fifo };

  std::string written;  // the whole value
  Kind kind = Kind::tcp;
  std::string host;  // tcp, udp; "": every address of this machine
  std::string port;
  std::string interface;                // udp: of a multicast group; "": the kernel chooses
  std::string path;                     // unix_socket, unix_datagram, fifo
  int descriptor = -1;                  // inherited; -1: it is known by the name alone
  std::string passed_as;                // inherited: that name; "": it has a number
  std::chrono::milliseconds period{0};  // timer
  std::string name;                     // "": the address is the name
  mode_t mode = 0666;                   // if there is a path
  std::string owner, group;
  TriggerKind per = TriggerKind::line;  // fifo
  bool nagle = false;                   // tcp, inherited: without TCP_NODELAY
  SocketOptions socket;                 // of the service
  bool proxy = false;  // tcp, unix_socket, inherited: each connection begins with a PROXY header

  bool has_path() const { return !path.empty(); }
  // The kind of work that arrives. Empty: for an inherited descriptor it is known when that is taken over.
  std::optional<WorkKind> brings() const;
};

ListenSpec parse_listen(std::string_view written);  // throws ConfigurationError
// The descriptor that it names, if its address is fd:N; whether the rest is right does not matter.
std::optional<int> inherited_descriptor(std::string_view written);
bool same_place(const ListenSpec& a, const ListenSpec& b);  // their options may differ
// A message, to be written behind "listen = VALUE ".
std::string work_mismatch(WorkKind brought, WorkKind taken);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
std::vector<SocketAddress> resolve(const ListenSpec& spec);  // of a socket; throws ConfigurationError
void try_to_resolve(const ListenSpec& spec);                 // of any listener; mistakes are left to others

}  // namespace brood
