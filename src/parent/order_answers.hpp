// SPDX-License-Identifier: MIT
// What the orders have in common: the services that requests name, and answers that wait for a service.
// Parent only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parent/answer.hpp"
#include "parent/orders.hpp"

namespace brood {

// What has happened to a service since an order: how many of its children at that time have ended, and how
// many connections were accepted and lost.
class OrderProgress {
 public:
  OrderProgress(const Service& service, Time now);

  const std::string& service() const { return name_; }
  // Of the children at that time. Those that SIGKILL can't end are not waited for.
  bool all_gone(const Service& service) const { return remaining(service) == 0; }
  WireRecord record(const Service& service) const;  // `service …`, see orders.hpp

 private:
  struct Known {
    pid_t pid;
    Time forked_at;  // a pid may be used again
  };
  unsigned remaining(const Service& service) const;

  std::string name_;
  Time began_;
  std::vector<Known> children_;
  std::uint64_t accepted_, lost_;
};

const std::string& needed_field(const WireRecord& request, std::string_view name);  // throws Refusal
Service& named_service(const ServerOrders& server, const WireRecord& request);      // throws Refusal

bool fails(const Service& service);  // its children fail at once, or it has failed
int code_of_failure(const Service& service);
std::string message_of_failure(const Service& service);

Answer answer_of(const OrderProgress& progress, const Service& service, int code = 0,
                 const std::string& message = "");
// Calls `find` until it returns an answer: the order is done, or it is clear that it can't be.
using OutcomeOf = std::function<std::optional<Answer>(const OrderProgress&, const Service&)>;
PendingAnswer answer_when(const ServerOrders& server, const Service& service, Time now, OutcomeOf find);

PendingAnswer answer_of_upgrade(const ServerOrders& server);

}  // namespace brood
