// SPDX-License-Identifier: MIT
// A server without clients: its children compete for the ticks of timers and for what is written into FIFOs,
// as others do for connections. Derive, and override handle_trigger():
//
//   class Sweeper : public brood::TriggerServer {
//     void handle_trigger(brood::Trigger& trigger) override { sweep(trigger.text()); }
//   };
//
// with `listen = timer:30s` or `listen = fifo:/run/sweeper.fifo`. Each tick, each line wakes one child.
#pragma once

#include "brood/server_base.hpp"

namespace brood {

// One tick of a timer, one line or one byte that was written into a FIFO. In a child; one thread.
class Trigger {
 public:
  // A child's: handlers are given theirs. What it names outlives the trigger.
  struct Origin {
    TriggerKind kind;
    std::string_view listener, text;
    std::uint64_t missed = 0;
    Child& child;
    ConnectionId id = 0;
  };
  explicit Trigger(const Origin& origin) : origin_(origin) {}

  TriggerKind kind() const { return origin_.kind; }
  std::string_view listener() const { return origin_.listener; }  // its name in the configuration, or address
  // Of a timer: the ticks before this one that nobody was free for, since the last one that somebody had.
  // They are told and not made up for.
  std::uint64_t missed() const { return origin_.missed; }
  // Of a FIFO: the line without its newline, or the byte. Valid while the handler runs.
  std::string_view text() const { return origin_.text; }

  // As of a connection: shown in the scoreboard meanwhile, at most 48 bytes. At first it is the listener.
  void note(std::string_view text) { origin_.child.note(origin_.id, text); }
  bool leaving() const { return origin_.child.leaving(); }  // the child was told to leave

 private:
  Origin origin_;
};

class TriggerServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.work = WorkKind::triggers}; }

 protected:
  // In a child, without privileges; one at a time. An exception that leaves it ends this trigger, is logged
  // and counted as failed, and never ends the child.
  virtual void handle_trigger(Trigger& trigger) = 0;
};

}  // namespace brood
