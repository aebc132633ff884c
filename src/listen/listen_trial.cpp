// SPDX-License-Identifier: MIT
#include "listen/listen_trial.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "brood/error.hpp"
#include "listen/listen_socket.hpp"

namespace brood {
namespace {

void try_inet(const ListenSpec& spec) {
  std::optional<SystemError> missing;
  bool found = false;
  for (const SocketAddress& address : resolve(spec)) try {
      bind_inet(address, spec, to_text(address.storage));
      found = true;
    } catch (const SystemError& error) {
      if (error.error_number() == EADDRINUSE)
        found = true;
      else if (is_missing_here(error))
        missing = error;
      else
        throw;
    }
  if (missing && !found) throw SystemError(*missing);
}

void try_path(const ListenSpec& spec) {
  const bool fifo = spec.kind == ListenSpec::Kind::fifo;
  const std::string what = (fifo ? "open " : "bind to ") + spec.written;
  if (!fifo) resolve(spec);  // its length
  try {
    try_directory_of(spec.path);
  } catch (const SystemError& error) {
    throw ConfigurationError(what + ": " + error.what());
  }
  struct stat status {};
  if (::lstat(spec.path.c_str(), &status) != 0) return;
  if (fifo ? !S_ISFIFO(status.st_mode) : !S_ISSOCK(status.st_mode))
    throw SystemError(what + ": the path is not a " + (fifo ? "FIFO" : "socket"), EEXIST);
}

}  // namespace

void try_directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  if (::access(directory.c_str(), W_OK | X_OK) != 0) throw SystemError("directory " + directory, errno);
}

void try_listener(const ListenSpec& spec) {
  switch (spec.kind) {
    case ListenSpec::Kind::tcp:
    case ListenSpec::Kind::udp:
      return try_inet(spec);
    case ListenSpec::Kind::unix_socket:
    case ListenSpec::Kind::unix_datagram:
    case ListenSpec::Kind::fifo:
      return try_path(spec);
    case ListenSpec::Kind::inherited:
    case ListenSpec::Kind::timer:
      return;
  }
}

}  // namespace brood
