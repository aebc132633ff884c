// SPDX-License-Identifier: MIT
#include "base/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <climits>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

int number_up_to(std::string_view word, int base, int highest, const char* what) {
  const auto value = parse_number<int>(word, base);
  if (!value || *value < 0 || *value > highest)
    throw ConfigurationError(text("'", word, "' is not a ", what));
  return *value;
}

void parse_host_and_port(std::string_view address, ListenSpec& spec) {
  if (parse_digits(address)) {  // a port alone is on this machine only
    spec.host = "127.0.0.1";
    spec.port = address;
  } else {
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
      throw ConfigurationError(
          "is not HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH, udp:HOST:PORT, unix-datagram:PATH, timer:TIME, "
          "fifo:PATH or fd:N");
    auto host = address.substr(0, colon);
    if (host.front() == '[' && host.back() == ']')
      host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
      throw ConfigurationError("needs brackets around an IPv6 address: [::1]:80");
    spec.host = host == "*" ? "" : host;
    spec.port = address.substr(colon + 1);
  }
  number_up_to(spec.port, 10, 65535, "port");
}

// `size`: of the place for the path and a NUL behind it.
void parse_path(std::string_view path, std::size_t size, ListenSpec& spec) {
  if (path.empty() || path.size() >= size)
    throw ConfigurationError(text("needs a path of 1 to ", size - 1, " bytes"));
  spec.path = path;
  if (spec.kind == ListenSpec::Kind::fifo)
    spec.mode = 0622;  // a stranger who could read would take lines away
}

void parse_period(std::string_view period, ListenSpec& spec) {
  try {
    spec.period = parse_duration(period, milliseconds(1), std::chrono::hours(24 * 30));
  } catch (const Error& error) {
    throw ConfigurationError(text("has a wrong period: '", period, "' ", error.what()));
  }
}

void parse_option(std::string_view option, ListenSpec& spec) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (value.empty())
    throw ConfigurationError(text("has '", option, "' instead of name=..., mode=..., owner=... or per=..."));
  if (key == "name") {
    spec.name = value;
  } else if (key == "mode" && spec.has_path()) {
    spec.mode = static_cast<mode_t>(number_up_to(value, 8, 0777, "file mode"));
  } else if (key == "owner" && spec.has_path()) {
    const auto colon = value.find(':');
    spec.owner = value.substr(0, colon);
    if (colon != std::string_view::npos) spec.group = value.substr(colon + 1);
  } else if (key == "mode" || key == "owner") {
    throw ConfigurationError(text("has ", key, "=, which only unix sockets and FIFOs can have"));
  } else if (key == "per" && spec.kind == ListenSpec::Kind::fifo) {
    if (value != "line" && value != "byte")
      throw ConfigurationError(text("has per=", value, " instead of per=line or per=byte"));
    spec.per = value == "line" ? TriggerKind::line : TriggerKind::byte;
  } else if (key == "per") {
    throw ConfigurationError("has per=, which only FIFOs can have");
  } else {
    throw ConfigurationError(text("has the unknown option '", key, "'; known are name, mode, owner, per"));
  }
}

}  // namespace

std::string to_text(const sockaddr_storage& address) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof host);
    return text(std::string_view(host), ':', ntohs(ipv4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof host);
    return text('[', std::string_view(host), "]:", ntohs(ipv6.sin6_port));
  }
  if (address.ss_family == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    if (local.sun_path[0] == '\0') return "unix";
    return text("unix:", std::string_view(local.sun_path, ::strnlen(local.sun_path, sizeof local.sun_path)));
  }
  return "unknown";
}

ListenSpec parse_listen(std::string_view written) {
  ListenSpec spec;
  spec.written = written;
  const auto parts = split(written, ',');
  auto address = trim(parts.front());
  const auto is = [&](std::string_view prefix, ListenSpec::Kind kind) {
    if (!address.starts_with(prefix)) return false;
    address.remove_prefix(prefix.size());
    spec.kind = kind;
    return true;
  };
  if (is("unix:", ListenSpec::Kind::unix_socket) || is("unix-datagram:", ListenSpec::Kind::unix_datagram))
    parse_path(address, sizeof sockaddr_un{}.sun_path, spec);
  else if (is("fifo:", ListenSpec::Kind::fifo))
    parse_path(address, PATH_MAX, spec);
  else if (is("timer:", ListenSpec::Kind::timer))
    parse_period(address, spec);
  else if (is("fd:", ListenSpec::Kind::inherited))
    spec.descriptor = number_up_to(address, 10, 1 << 20, "descriptor");
  else {
    is("udp:", ListenSpec::Kind::udp);
    parse_host_and_port(address, spec);
  }
  for (std::size_t i = 1; i < parts.size(); ++i) parse_option(trim(parts[i]), spec);
  return spec;
}

std::optional<WorkKind> ListenSpec::brings() const {
  switch (kind) {
    case Kind::tcp:
    case Kind::unix_socket:
      return WorkKind::connections;
    case Kind::udp:
    case Kind::unix_datagram:
      return WorkKind::datagrams;
    case Kind::timer:
    case Kind::fifo:
      return WorkKind::triggers;
    case Kind::inherited:
      break;
  }
  return {};
}

std::string work_mismatch(WorkKind brought, WorkKind taken) {
  const auto name = [](WorkKind kind) { return work_kind_names.at(static_cast<std::size_t>(kind)); };
  return text("brings ", name(brought), "; this server takes ", name(taken));
}

bool same_place(const ListenSpec& a, const ListenSpec& b) {
  return a.kind == b.kind && a.host == b.host && a.port == b.port && a.path == b.path &&
         a.descriptor == b.descriptor && a.period == b.period;
}

std::vector<SocketAddress> resolve(const ListenSpec& spec) {
  std::vector<SocketAddress> addresses;
  if (spec.has_path()) {
    SocketAddress address;
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    local.sun_family = AF_UNIX;
    spec.path.copy(local.sun_path, sizeof local.sun_path - 1);
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + spec.path.size() + 1);
    addresses.push_back(address);
    return addresses;
  }
  addrinfo hints{};
  hints.ai_socktype = spec.kind == ListenSpec::Kind::udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(spec.host.empty() ? nullptr : spec.host.c_str(), spec.port.c_str(), &hints, &found);
  if (error != 0)
    throw ConfigurationError(
        text("listen = ", spec.written, ": ",
             std::string_view(error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error))));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    address.size = one->ai_addrlen;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace brood
