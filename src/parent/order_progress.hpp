// SPDX-License-Identifier: MIT
// What a service has been through since an order: which of its children of then are gone, and what was served
// and lost meanwhile. Parent only; changes nothing.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/wire_record.hpp"
#include "parent/service.hpp"

namespace brood {

class OrderProgress {
 public:
  OrderProgress(const Service& service, Time now);

  const std::string& service() const { return name_; }
  // Those that SIGKILL can't end are not waited for.
  bool all_gone(const Service& service) const { return remaining(service) == 0; }
  WireRecord tell(const Service& service) const;

 private:
  struct Known {
    pid_t pid;
    Time forked_at;  // a pid may come again
  };
  unsigned remaining(const Service& service) const;

  std::string name_;
  Time began_;
  std::vector<Known> children_;
  std::uint64_t accepted_, lost_;
};

}  // namespace brood
