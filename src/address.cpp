// SPDX-License-Identifier: MIT
#include "address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>

#include "brood/error.hpp"
#include "text.hpp"

namespace brood {
namespace {

bool all_digits(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int parse_number(std::string_view word, int base, int highest, const char* what) {
  int value = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (result.ec != std::errc{} || result.ptr != word.data() + word.size() || value < 0 || value > highest)
    throw ConfigurationError(text("'", word, "' is no ", what));
  return value;
}

void parse_host_and_port(std::string_view address, ListenSpec& spec) {
  if (all_digits(address)) {  // a port alone: this machine only, unless told otherwise
    spec.host = "127.0.0.1";
    spec.port = address;
  } else {
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
      throw ConfigurationError("needs HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N");
    auto host = address.substr(0, colon);
    if (host.front() == '[' && host.back() == ']')
      host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
      throw ConfigurationError("needs brackets around an IPv6 address: [::1]:80");
    spec.host = host == "*" ? "" : host;
    spec.port = address.substr(colon + 1);
  }
  parse_number(spec.port, 10, 65535, "port");
}

void parse_option(std::string_view option, ListenSpec& spec) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (value.empty())
    throw ConfigurationError(text("has '", option, "' where name=…, mode=… or owner=… may stand"));
  const bool for_unix = spec.kind == ListenSpec::Kind::unix_socket;
  if (key == "name") {
    spec.name = value;
  } else if (key == "mode" && for_unix) {
    spec.mode = static_cast<mode_t>(parse_number(value, 8, 0777, "file mode"));
  } else if (key == "owner" && for_unix) {
    const auto colon = value.find(':');
    spec.owner = value.substr(0, colon);
    if (colon != std::string_view::npos) spec.group = value.substr(colon + 1);
  } else if (key == "mode" || key == "owner") {
    throw ConfigurationError(text("has ", key, "=, which only unix sockets take"));
  } else {
    throw ConfigurationError(text("has the unknown option '", key, "'; known are name, mode, owner"));
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
  const auto address = trim(parts.front());
  if (address.starts_with("unix:")) {
    spec.kind = ListenSpec::Kind::unix_socket;
    spec.path = address.substr(5);
    if (spec.path.empty() || spec.path.size() >= sizeof sockaddr_un{}.sun_path)
      throw ConfigurationError(text("needs a path of 1 to ", sizeof sockaddr_un{}.sun_path - 1, " bytes"));
  } else if (address.starts_with("fd:")) {
    spec.kind = ListenSpec::Kind::inherited;
    spec.descriptor = parse_number(address.substr(3), 10, 1 << 20, "descriptor");
  } else {
    parse_host_and_port(address, spec);
  }
  for (std::size_t i = 1; i < parts.size(); ++i) parse_option(trim(parts[i]), spec);
  return spec;
}

bool same_place(const ListenSpec& a, const ListenSpec& b) {
  return a.kind == b.kind && a.host == b.host && a.port == b.port && a.path == b.path &&
         a.descriptor == b.descriptor;
}

std::vector<SocketAddress> resolve(const ListenSpec& spec) {
  std::vector<SocketAddress> addresses;
  if (spec.kind == ListenSpec::Kind::unix_socket) {
    SocketAddress address;
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    local.sun_family = AF_UNIX;
    spec.path.copy(local.sun_path, sizeof local.sun_path - 1);
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + spec.path.size() + 1);
    addresses.push_back(address);
    return addresses;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
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
