// SPDX-License-Identifier: MIT
// Takes over from the former program of this process, from exec() to the moment in which this program is the
// parent. Until then nothing of the former program has changed, and it can have everything back. Knows
// nothing of what parents and services do with what was handed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brood/descriptor.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/service_source.hpp"
#include "upgrade/executable.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

class Takeover {
 public:
  // At the start of main(). What can't be understood is given back; throws Error if that fails too, and in a
  // rehearsal.
  Takeover(int argc, const char* const* argv);

  const Executable& executable() const { return executable_; }
  // nullptr: an ordinary start, nothing was handed over.
  const HandedOver* handed_over() const { return handed_over_ ? &*handed_over_ : nullptr; }
  const HandedOverService* find(std::string_view service) const;  // nullptr: there is none of that name
  // This process only finds out whether the program can take over.
  bool rehearses() const { return rehearses_; }
  // This is the former program: the new one could not take over, and has given everything back.
  bool given_back() const { return handed_over_ && !handed_over_->refused.empty(); }

  // Reads the settings. If everything was given back, they are those with which the server runs.
  WantedSettings read(ServiceSource& source, CommandLine line) const;

  // Whether this program can take over: throws Error with what is in the way, and changes nothing. If
  // `may_be_new`, a service that the running server doesn't have is no mistake: a reload starts it.
  void check(const std::vector<WantedService>& wanted, bool may_be_new) const;
  // The same in a rehearsal, and prints what was found.
  void rehearse(const std::vector<WantedService>& wanted, bool may_be_new) const;

  // ---- taking over
  // Each throws ConfigurationError if the layout is that of another version, Error or SystemError if there is
  // no scoreboard.
  Scoreboard open_scoreboard(std::string_view service) const;
  std::optional<Scoreboard> open_server_file() const;  // empty: there is none
  ServerFacts server_facts() const;
  // A copy, for what is shared until everything is taken over. Throws SystemError.
  static Descriptor share(int descriptor);
  // The descriptor itself, in the last step, in which nothing fails. -1: none.
  Descriptor claim(int descriptor);
  // Children of the former program follow the log of this one, unless it is no file (nullptr).
  void claim_log_channel(LogChannel* to, const LogChannelDescriptors& left);
  // Everything is taken over: closes what was not claimed. Nothing can be given back after it.
  void accept();

  // Executes the former program, which goes on as it was (give_back.hpp). Returns only if there is none, or
  // it can't be executed, or accept() was called.
  void give_back(std::string_view why);

 private:
  Executable executable_;
  Handover records_;
  std::vector<int> unclaimed_;
  bool rehearses_ = false;
  std::optional<HandedOver> handed_over_;
};

}  // namespace brood
