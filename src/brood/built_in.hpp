// SPDX-License-Identifier: MIT
// Services that need no program, as in inetd: for tests of a network, a load balancer or brood itself.
#pragma once

#include <string>
#include <vector>

#include "brood/server.hpp"

namespace brood {

class BuiltIn final : public Server {
 public:
  static const std::vector<std::string>& names();  // "echo", "discard"

  explicit BuiltIn(std::string name) : name_(std::move(name)) {}

  ChildModel child_model() const override { return {.threads = true}; }
  bool thread_safe() const override { return true; }

 private:
  void handle_connection(Connection& connection) override;

  const std::string name_;
};

}  // namespace brood
