// SPDX-License-Identifier: MIT
#include "base/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>

#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/address.hpp"
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

// "239.1.2.3:5000%eth0", "239.1.2.3%eth0:5000". In brackets it belongs to the address of IPv6.
std::string take_interface(std::string_view address, ListenSpec& spec) {
  const auto percent = address.find('%');
  if (spec.kind != ListenSpec::Kind::udp || percent == std::string_view::npos || address.front() == '[')
    return std::string(address);
  const auto end = std::min(address.find(':', percent), address.size());
  spec.interface = address.substr(percent + 1, end - percent - 1);
  if (spec.interface.empty()) throw ConfigurationError("names no interface behind the %");
  return std::string(address.substr(0, percent)) + std::string(address.substr(end));
}

void parse_host_and_port(std::string_view whole, ListenSpec& spec) {
  const std::string without_interface = take_interface(whole, spec);
  const std::string_view address = without_interface;
  if (parse_digits(address)) {  // a port alone is on this machine only
    spec.host = "127.0.0.1";
    spec.port = address;
  } else {
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
      throw ConfigurationError(
          "is not HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH, udp:HOST:PORT, unix-datagram:PATH, timer:TIME, "
          "fifo:PATH, fd:N or fd:NAME");
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

// A number, or the name that a service manager has given to it.
void parse_inherited(std::string_view word, ListenSpec& spec) {
  constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  const bool is_name = !parse_digits(word) && !word.empty() &&
                       first.find(word.front()) != std::string_view::npos && word.size() < 256 &&
                       std::ranges::all_of(word, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
  if (is_name)
    spec.passed_as = word;
  else
    spec.descriptor = number_up_to(word, 10, 1 << 20, "descriptor");
}

void parse_period(std::string_view period, ListenSpec& spec) {
  try {
    spec.period = parse_duration(period, milliseconds(1), std::chrono::hours(24 * 30));
  } catch (const Error& error) {
    throw ConfigurationError(text("has a wrong period: '", period, "' ", error.what()));
  }
}

void parse_option(std::string_view option, ListenSpec& spec) {
  if (option == "nagle") {
    if (spec.kind != ListenSpec::Kind::tcp && spec.kind != ListenSpec::Kind::inherited)
      throw ConfigurationError("has nagle, which only TCP can have");
    spec.nagle = true;
    return;
  }
  if (option == "proxy") {
    if (spec.brings().value_or(WorkKind::connections) != WorkKind::connections)
      throw ConfigurationError("has proxy, which only TCP and unix sockets can have");
    spec.proxy = true;
    return;
  }
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (value.empty())
    throw ConfigurationError(
        text("has '", option, "' instead of name=..., mode=..., owner=..., per=..., nagle or proxy"));
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
    throw ConfigurationError(
        text("has the unknown option '", key, "'; known are name, mode, owner, per, nagle, proxy"));
  }
}

SocketAddress address_of_path(const ListenSpec& spec) {
  SocketAddress address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
  local.sun_family = AF_UNIX;
  spec.path.copy(local.sun_path, sizeof local.sun_path - 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + spec.path.size() + 1);
  return address;
}

// Empty: the flags say that the host is no name, and it is one.
std::optional<std::vector<SocketAddress>> find_addresses(const ListenSpec& spec, int flags) {
  addrinfo hints{};
  hints.ai_socktype = spec.kind == ListenSpec::Kind::udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(spec.host.empty() ? nullptr : spec.host.c_str(), spec.port.c_str(), &hints, &found);
  if (error == EAI_NONAME && (flags & AI_NUMERICHOST) != 0) return {};
  if (error != 0)
    throw ConfigurationError(
        text("listen = ", spec.written, ": ",
             std::string_view(error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error))));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    address.size = one->ai_addrlen;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    addresses.push_back(address);
  }
  return addresses;
}

// Written and read by processes of one program.
std::string to_bytes(const std::vector<SocketAddress>& addresses) {
  return {reinterpret_cast<const char*>(addresses.data()), addresses.size() * sizeof(SocketAddress)};
}

std::vector<SocketAddress> from_bytes(const std::string& bytes) {
  std::vector<SocketAddress> addresses(bytes.size() / sizeof(SocketAddress));
  std::memcpy(addresses.data(), bytes.data(), addresses.size() * sizeof(SocketAddress));
  return addresses;
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
    parse_inherited(address, spec);
  else {
    is("udp:", ListenSpec::Kind::udp);
    parse_host_and_port(address, spec);
  }
  for (std::size_t i = 1; i < parts.size(); ++i) parse_option(trim(parts[i]), spec);
  return spec;
}

std::optional<int> inherited_descriptor(std::string_view written) {
  auto address = trim(split(written, ',').front());
  if (!address.starts_with("fd:")) return {};
  address.remove_prefix(3);
  return parse_number<int>(address);
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
         a.descriptor == b.descriptor && a.passed_as == b.passed_as && a.period == b.period &&
         a.interface == b.interface;
}

std::vector<SocketAddress> resolve(const ListenSpec& spec) {
  if (spec.has_path()) return {address_of_path(spec)};
  if (auto addresses = find_addresses(spec, AI_NUMERICHOST)) return *addresses;
  const std::string key =
      text(spec.host, ' ', spec.port, spec.kind == ListenSpec::Kind::udp ? " udp" : " tcp");
  return from_bytes(look_up("host", key, [&] { return to_bytes(*find_addresses(spec, 0)); }));
}

void try_to_resolve(const ListenSpec& spec) {
  struct stat unused {};
  if (spec.has_path()) ::lstat(spec.path.c_str(), &unused);  // takes as long as the parent would wait
  if (spec.kind != ListenSpec::Kind::tcp && spec.kind != ListenSpec::Kind::udp) return;
  try {
    resolve(spec);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch)
  }
}

// ---- an address as a value

Address::Family Address::family() const {
  switch (address_.ss_family) {
    case AF_INET:
      return Family::ipv4;
    case AF_INET6:
      return Family::ipv6;
    case AF_UNIX:
      return Family::unix_socket;
    default:
      return Family::other;
  }
}

std::string Address::text() const { return to_text(address_); }

std::string Address::host() const {
  if (family() != Family::ipv4 && family() != Family::ipv6) return "";
  std::string host = text();
  host.resize(host.rfind(':'));
  return host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

// sin_port and sin6_port are at the same place.
std::uint16_t Address::port() const {
  if (family() != Family::ipv4 && family() != Family::ipv6) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in&>(address_).sin_port);
}

Address Address::unmapped() const {
  if (family() != Family::ipv6) return *this;
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address_);
  if (!IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) return *this;
  Address result;
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(result.address_);
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = ipv6.sin6_port;
  std::memcpy(&ipv4.sin_addr, &ipv6.sin6_addr.s6_addr[12], sizeof ipv4.sin_addr);
  return result;
}

const sockaddr* Address::data() const { return reinterpret_cast<const sockaddr*>(&address_); }

socklen_t Address::size() const {
  switch (family()) {
    case Family::ipv4:
      return sizeof(sockaddr_in);
    case Family::ipv6:
      return sizeof(sockaddr_in6);
    case Family::unix_socket: {
      const auto& local = reinterpret_cast<const sockaddr_un&>(address_);
      const std::size_t path = ::strnlen(local.sun_path, sizeof local.sun_path);
      return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + (path == 0 ? 0 : path + 1));
    }
    case Family::other:
      break;
  }
  return sizeof address_;
}

bool operator==(const Address& a, const Address& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace brood
