// SPDX-License-Identifier: MIT
#include "models/programs/connection_environment.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "base/text.hpp"

namespace brood {
namespace {

struct End {
  std::string ip, port, interface;
};

End read_end(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> ip{};
  if (address.ss_family == AF_INET) {
    const auto& its = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &its.sin_addr, ip.data(), ip.size());
    return {.ip = ip.data(), .port = text(ntohs(its.sin_port)), .interface = {}};
  }
  const auto& its = reinterpret_cast<const sockaddr_in6&>(address);
  ::inet_ntop(AF_INET6, &its.sin6_addr, ip.data(), ip.size());
  std::array<char, IF_NAMESIZE> interface {};
  if (its.sin6_scope_id != 0) ::if_indextoname(its.sin6_scope_id, interface.data());
  return {.ip = ip.data(), .port = text(ntohs(its.sin6_port)), .interface = interface.data()};
}

// The child may have inherited variables about another connection.
bool is_stale(std::string_view variable) {
  for (const std::string_view name :
       {"PROTO=", "TCPLOCAL", "TCPREMOTE", "TCP6LOCAL", "TCP6REMOTE", "TCP6INTERFACE=", "UNIXLOCAL",
        "UNIXREMOTE", "BROOD_LISTENER=", "BROOD_SERVICE="})
    if (variable.starts_with(name)) return true;
  return false;
}

void add_inet(std::vector<std::string>& to, const std::string& end, const sockaddr_storage& address) {
  const End its = read_end(address);
  to.push_back("TCP" + end + "IP=" + its.ip);
  to.push_back("TCP" + end + "PORT=" + its.port);
  if (address.ss_family != AF_INET6) return;
  to.push_back("TCP6" + end + "IP=" + its.ip);
  to.push_back("TCP6" + end + "PORT=" + its.port);
  if (!its.interface.empty() && end == "REMOTE") to.push_back("TCP6INTERFACE=" + its.interface);
}

void add_unix(std::vector<std::string>& to, int socket, const sockaddr_storage& local) {
  to.emplace_back("PROTO=UNIX");
  to.push_back(
      text("UNIXLOCALPATH=", std::string_view(reinterpret_cast<const sockaddr_un&>(local).sun_path)));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  to.push_back(text("UNIXREMOTEPID=", peer.pid));
  to.push_back(text("UNIXREMOTEEUID=", peer.uid));
  to.push_back(text("UNIXREMOTEEGID=", peer.gid));
}

}  // namespace

std::vector<std::string> connection_environment(int socket, std::string_view service,
                                                std::string_view listener) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_stale(*variable)) all.emplace_back(*variable);
  all.push_back(text("BROOD_SERVICE=", service));
  all.push_back(text("BROOD_LISTENER=", listener));
  sockaddr_storage local{}, remote{};
  socklen_t local_size = sizeof local, remote_size = sizeof remote;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &local_size) != 0) return all;
  if (local.ss_family == AF_UNIX) {
    add_unix(all, socket, local);
    return all;
  }
  all.emplace_back(local.ss_family == AF_INET6 ? "PROTO=TCP6" : "PROTO=TCP");
  add_inet(all, "LOCAL", local);
  // This fails if the peer has closed the connection.
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&remote), &remote_size) == 0)
    add_inet(all, "REMOTE", remote);
  return all;
}

}  // namespace brood
