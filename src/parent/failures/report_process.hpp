// SPDX-License-Identifier: MIT
// What a short-lived process of a service needs to give up what it has of the parent's, before it reads what
// a child has named. Parent only.
#pragma once

#include <functional>

#include "base/lookup/identity.hpp"

namespace brood {

struct ReportProcess {
  const Identity& identity;  // of the process from then on
  bool no_new_privileges;
  std::function<void()> close;  // closes what belongs to the parent

  void give_up_all() const;  // throws SystemError
};

}  // namespace brood
