// SPDX-License-Identifier: MIT
// How the children of a parent get the log file that it has opened again. They may not be able to open it: it
// belongs to another user, or is not in their root directory.
//
// A pair of sockets has one message, with the descriptor. Each child peeks at the message, which gives it a
// descriptor of its own and leaves the message to the others.
#pragma once

#include "brood/descriptor.hpp"

namespace brood {

struct LogChannelDescriptors {
  int sender = -1, receiver = -1;  // -1: there is none
};

class LogChannel {
 public:
  LogChannel() = default;    // there is none
  static LogChannel make();  // for the parent; if that is not possible, there is none
  // In a program that has taken a child's slot: the receiving end.
  explicit LogChannel(Descriptor receiver) : receiver_(std::move(receiver)) {}

  // Of the former program of this process: its children follow this one.
  LogChannel(Descriptor sender, Descriptor receiver)
      : sender_(std::move(sender)), receiver_(std::move(receiver)) {}

  void offer(int descriptor);               // in place of the one before
  Descriptor take() const;                  // empty: nothing is offered
  void only_receive() { sender_.reset(); }  // in a child
  LogChannelDescriptors descriptors() const { return {sender_.get(), receiver_.get()}; }

 private:
  Descriptor sender_, receiver_;
};

}  // namespace brood
