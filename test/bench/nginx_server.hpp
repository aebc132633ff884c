// SPDX-License-Identifier: MIT
// nginx on a directory of files, with a configuration of our own, to be compared with.
#pragma once

#include <string>

#include "program.hpp"
#include "turns.hpp"

namespace brood::bench {

class NginxServer {
 public:
  static bool is_installed();

  // Returns when it answers. `directives`: of its http block.
  NginxServer(const std::string& document_root, unsigned workers, const std::string& directives);
  ~NginxServer();
  NginxServer(const NginxServer&) = delete;
  NginxServer& operator=(const NginxServer&) = delete;

  Contestant contestant() const;

 private:
  ServiceCommand command(const std::string& document_root, unsigned workers,
                         const std::string& directives) const;

  TemporaryDirectory directory_;
  std::string address_;
  Program program_;
};

}  // namespace brood::bench
