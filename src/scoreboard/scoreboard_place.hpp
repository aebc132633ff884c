// SPDX-License-Identifier: MIT
// Where the scoreboards of a server are in its runtime directory: one file or, if its services have names, a
// directory with a file for each service and one of the server. Knows nothing of their contents.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace brood {

class Scoreboard;

struct ScoreboardPlace {
  std::string path;  // NAME.scoreboard; "": the scoreboards are anonymous
  bool directory = false;
  std::optional<gid_t> readers;  // the group whose members may read the files

  // The path of a service's scoreboard; "" if it is anonymous.
  std::string of(std::string_view service) const;
  // The path of the server's own file. "": it has none.
  std::string of_server() const;

  // Removes what an earlier server has left there, and makes the directory if there is to be one. Throws
  // SystemError.
  void prepare() const;
  void remove_directory() const;  // when its files are removed
  // Lets the readers in, if there are any. If that fails, it is logged.
  void share(const Scoreboard& scoreboard) const;
};

// No service can have this name.
inline constexpr std::string_view server_file_name = ".server";

}  // namespace brood
