// SPDX-License-Identifier: MIT
#include "models/programs/connection_environment.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/text.hpp"

#include "brood/proxy_header.hpp"

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
        "UNIXREMOTE", "BROOD_LISTENER=", "BROOD_SERVICE=", "BROOD_PROXY_"})
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

void add_unix(std::vector<std::string>& to, const Connection& connection, const sockaddr_storage& local) {
  to.emplace_back("PROTO=UNIX");
  const char* const path = reinterpret_cast<const sockaddr_un&>(local).sun_path;
  to.push_back(
      text("UNIXLOCALPATH=", std::string_view(path, ::strnlen(path, sizeof sockaddr_un{}.sun_path))));
  const auto peer = connection.peer_credentials();
  if (!peer) return;
  to.push_back(text("UNIXREMOTEPID=", peer->pid));
  to.push_back(text("UNIXREMOTEEUID=", peer->uid));
  to.push_back(text("UNIXREMOTEEGID=", peer->gid));
}

// `remote`: AF_UNSPEC if it is not known.
void add_ends(std::vector<std::string>& to, const Connection& connection, const sockaddr_storage& local,
              const sockaddr_storage& remote) {
  if (local.ss_family == AF_UNIX) return add_unix(to, connection, local);
  to.emplace_back(local.ss_family == AF_INET6 ? "PROTO=TCP6" : "PROTO=TCP");
  add_inet(to, "LOCAL", local);
  if (remote.ss_family != AF_UNSPEC) add_inet(to, "REMOTE", remote);
}

sockaddr_storage storage_of(const Address& address) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address.data(), address.size());
  return storage;
}

// A client may have chosen the values: what is not plain text is left out.
void add_header(std::vector<std::string>& to, const Connection& connection, const ProxyHeader& header) {
  to.push_back("BROOD_PROXY_FROM=" + connection.sender_address().text());
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> fields = {
      {{ProxyField::authority, "AUTHORITY"},
       {ProxyField::alpn, "ALPN"},
       {ProxyField::unique_id, "UNIQUE_ID"},
       {ProxyField::tls_version, "TLS_VERSION"},
       {ProxyField::tls_common_name, "TLS_COMMON_NAME"}}};
  for (const auto& [type, name] : fields)
    if (const auto value = header.field(type); value && escape(*value) == *value)
      to.push_back(text("BROOD_PROXY_", name, '=', *value));
}

}  // namespace

std::vector<std::string> connection_environment(const Connection& connection, std::string_view service) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_stale(*variable)) all.emplace_back(*variable);
  all.push_back(text("BROOD_SERVICE=", service));
  all.push_back(text("BROOD_LISTENER=", connection.listener()));
  const ProxyHeader* const header = connection.proxy_header();
  if (header != nullptr) add_header(all, connection, *header);
  if (header != nullptr && header->names_client()) {
    add_ends(all, connection, storage_of(header->destination), storage_of(header->source));
    return all;
  }
  const int socket = connection.descriptor();
  sockaddr_storage local{}, remote{};
  socklen_t local_size = sizeof local, remote_size = sizeof remote;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &local_size) != 0) return all;
  // This fails if the peer has closed the connection.
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0) remote = {};
  add_ends(all, connection, local, remote);
  return all;
}

}  // namespace brood
