// SPDX-License-Identifier: MIT
// A server whose children serve one connection at a time in blocking code, or one in each thread if
// threads-per-child is set. Derive, override handle_connection(), and let main() return run():
//
//   class Echo : public brood::Server {
//     void handle_connection(brood::Connection& connection) override { … }
//   };
//   int main(int argc, char** argv) { return Echo().run(argc, argv); }
#pragma once

#include "brood/cxx20.hpp"

#include "brood/server_base.hpp"

namespace brood {

class Server : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.threads = true}; }

 protected:
  // Called in a child, without privileges. The connection is closed when it returns. An exception ends the
  // connection, and not the child. It is logged, and the connection counts as failed, unless it says that the
  // peer is gone (ConnectionError) or that a time limit is over (TimeoutError): those are counted apart.
  virtual void handle_connection(Connection& connection) = 0;
};

}  // namespace brood
