// SPDX-License-Identifier: MIT
// What a process was started as: a program as any other, or one that takes a former program's place.
#pragma once

#include <optional>
#include <vector>

#include "base/executable.hpp"
#include "settings/command_line.hpp"
#include "settings/service_source.hpp"
#include "upgrade/heir.hpp"

namespace brood {

class Beginning {
 public:
  // At the start of main().
  Beginning(int argc, const char* const* argv);

  const Executable& executable() const { return executable_; }
  Heir* heir() { return heir_ ? &*heir_ : nullptr; }  // nullptr: nothing was left to this process
  bool rehearses() const { return heir_ && heir_->rehearses(); }

  // What holds as long as the process lives, whatever the command line says. And where the former program has
  // all back, it goes on as it was: what files say by now may be for the successor that gave up.
  CommandLine hold(CommandLine line) const;
  void hold(ServiceSource& source) const;

  // In a rehearsal: whether this program could take over. Throws what is in the way, and changes nothing.
  void rehearse(const std::vector<WantedService>& wanted, const ServiceRules& rules) const;

  // Before it has taken over, the former program can have all back: does not return then.
  void give_back(std::string_view why);

 private:
  Executable executable_;
  std::optional<Heir> heir_;
};

}  // namespace brood
