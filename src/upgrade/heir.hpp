// SPDX-License-Identifier: MIT
// The program that takes a parent's place, from exec() to the moment in which it is the parent. Until then
// nothing is its own, and it can give all back to the former program, which execs in its turn. Knows nothing
// of what parents and services do with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executable.hpp"
#include "brood/descriptor.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

class Heir {
 public:
  // At the start of main(). Empty: nobody left anything to this process. What can't be understood is given
  // back; throws Error where that can't be done either, and in a rehearsal.
  static std::optional<Heir> of_this_process(const Executable& executable);

  const HandedOver& left() const { return left_; }
  bool rehearses() const { return rehearses_; }
  // The former program has it back, because its successor could not take over.
  bool is_former() const { return !left_.refused.empty(); }
  const HandedOverService* find(std::string_view service) const;  // nullptr: there is none of that name

  // What is shared until all is taken over. Throws SystemError.
  static Descriptor share(int descriptor);
  // What is taken over: the last step, in which nothing fails. -1: none.
  Descriptor claim(int descriptor);
  // All is taken over: closes what nobody claimed. From here on there is no way back.
  void accept();

  // Returns only where that can't be done: it was accepted, or there is no former program, or it can't be
  // executed any more.
  void give_back(std::string_view why);

 private:
  Heir(const Executable& executable, Handover handover);

  Executable executable_;
  Handover handover_;
  std::vector<int> unclaimed_;
  bool rehearses_;
  HandedOver left_;
};

}  // namespace brood
