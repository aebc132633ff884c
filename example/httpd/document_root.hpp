// SPDX-License-Identifier: MIT
// The folder whose files are served, and nothing outside of it. The kernel resolves each path from the
// folder's descriptor (openat2, RESOLVE_BENEATH), so that neither ".." nor a symbolic link leads out, even if
// files are renamed at the same time. A link that stays inside is followed. Opened by the parent, used by any
// thread of its children.
#pragma once

#include <brood/descriptor.hpp>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

namespace httpd {

struct File {
  brood::Descriptor descriptor;
  bool is_folder = false;
  std::uint64_t size = 0;
  timespec modified{};
};

class DocumentRoot {
 public:
  // Throws brood::ConfigurationError: it is no folder, or this system lacks openat2() (Linux 5.6).
  explicit DocumentRoot(const std::string& path);

  // A file or a folder; "" is the root. Empty: there is none, or something else has that name (a FIFO, a
  // device, a link that leads out). Throws Refusal: forbidden, unavailable.
  std::optional<File> open(const std::string& path) const;

 private:
  brood::Descriptor folder_;
};

}  // namespace httpd
