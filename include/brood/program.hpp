// SPDX-License-Identifier: MIT
// A program with several services and one parent. Each service has its own listeners, limits, user, log level
// and child model:
//
//   int main(int argc, char** argv) {
//     Imap imap;
//     Pop3 pop3;
//     brood::Program mail;
//     mail.add("imap", imap);
//     mail.add("pop3", pop3);
//     return mail.run(argc, argv);
//   }
//
// Settings before the first section of the file, and "--NAME=VALUE", are shared by all services. Settings in
// the section "[imap]", and "--imap.NAME=VALUE", are for that service.
#pragma once

#include "brood/cxx20.hpp"

#include <string>
#include <utility>
#include <vector>

#include "brood/server_base.hpp"

namespace brood {

class Program {
 public:
  // `name`: 1 to 63 letters, digits, '-' and '_'. Throws Error if it is not, or is used twice. `server` must
  // outlive the program.
  void add(std::string name, ServerBase& server);

  // What --version prints, instead of the version of the kit.
  void set_version(std::string version) { version_ = std::move(version); }

  // As ServerBase::run(), for all services.
  int run(int argc, char** argv);

 private:
  struct Named {
    std::string name;
    ServerBase* server;
  };
  std::vector<Named> servers_;
  std::string version_;
};

}  // namespace brood
