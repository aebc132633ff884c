// SPDX-License-Identifier: MIT
// The descriptors that a service manager has passed to this server, as sd_listen_fds(3) reads them: from 3
// on, with a name each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace brood {

inline constexpr int first_passed = 3;

struct PassedDescriptors {
  std::vector<std::string> names;  // of descriptor 3 and the next ones

  // Of the environment, when this is called first. Also for the processes of a server: they are not those
  // that LISTEN_PID names.
  static const PassedDescriptors& of_server();
  // `count`, `names`: of LISTEN_FDS and LISTEN_FDNAMES. Pure.
  static PassedDescriptors parse(std::string_view count, std::string_view names);
};

// A listener for each descriptor of the name in "fd:NAME"; any other is returned as it is, and also this one
// if nothing was passed: who opens it says so. Throws ConfigurationError if none has the name.
std::vector<ListenSpec> numbered(const ListenSpec& spec, const PassedDescriptors& passed);

}  // namespace brood
