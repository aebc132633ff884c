// SPDX-License-Identifier: MIT
#pragma once

#include "brood/connection.hpp"

namespace brood {

// While it lives, the child can end the wait of a read.
class Reading {
 public:
  [[gnu::hot]] Reading(ConnectionHost& host, int socket) : host_(host) { host_.begin_read(socket); }
  [[gnu::hot]] ~Reading() { host_.end_read(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  ConnectionHost& host_;
};

}  // namespace brood
