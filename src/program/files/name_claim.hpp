// SPDX-License-Identifier: MIT
// That a server has its name in the runtime directory for itself: scoreboard, control socket, and what else
// is made there. Of servers that start at once one gets it. It is given up when the server begins to stop, so
// that its successor can start while it finishes its connections. Parent only.
#pragma once

#include <string>

#include "brood/descriptor.hpp"
#include "settings/configuration.hpp"

namespace brood {

class NameClaim {
 public:
  NameClaim() = default;  // none yet
  NameClaim(const NameClaim&) = delete;
  NameClaim& operator=(const NameClaim&) = delete;
  ~NameClaim() { give_up(); }

  // "": there is nothing to claim.
  static std::string path_for(const Configuration& configuration);

  // Throws ConfigurationError if another server has it. If the directory can't be used, nothing is claimed.
  void take(const Configuration& configuration);
  // What a former program of this process has left. `file`: none, if it knew of no claims.
  void take_over(std::string path, Descriptor file);
  int descriptor() const { return file_.get(); }
  const std::string& path() const { return path_; }
  // Makes the file again if it was removed or replaced. If that fails, it is logged.
  void look_at_path();
  void give_up();
  // After give_up(): whether no other server has the name since. Then it is claimed again.
  bool take_again();
  void forget() { file_.reset(); }  // in a child

 private:
  std::string path_;
  Descriptor file_;
  bool given_up_ = false;
};

}  // namespace brood
