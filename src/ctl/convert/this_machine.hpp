// SPDX-License-Identifier: MIT
// The machine on which the program runs.
#pragma once

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

class ThisMachine final : public Machine {
 public:
  std::optional<unsigned> port(const std::string& service, const std::string& protocol) const override;
  bool has_user(const std::string& name) const override;
  bool has_group(const std::string& name) const override;
  bool can_execute(const std::string& path) const override;
  bool has_directory(const std::string& path) const override;
};

}  // namespace brood::ctl
