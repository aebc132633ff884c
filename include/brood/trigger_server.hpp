// SPDX-License-Identifier: MIT
// A server without clients: its children compete for the ticks of timers and for what is written into FIFOs,
// as the children of other servers do for connections. Derive, and override handle_trigger():
//
//   class Sweeper : public brood::TriggerServer {
//     void handle_trigger(brood::Trigger& trigger) override { sweep(trigger.text()); }
//   };
//
// with `listen = timer:30s` or `listen = fifo:/run/sweeper.fifo`. Each tick, each line wakes one child.
#pragma once

#include "brood/cxx20.hpp"

#include "brood/server_base.hpp"

namespace brood {

// One tick of a timer, or one line or one byte that was written into a FIFO. In a child, in one thread.
class Trigger {
 public:
  // For the kit; handlers get a Trigger. What is named here outlives it.
  struct Origin {
    TriggerKind kind;
    std::string_view listener, text;
    std::uint64_t missed = 0;
    Child& child;
    ConnectionId id = 0;
  };
  explicit Trigger(const Origin& origin) : origin_(origin) {}

  TriggerKind kind() const { return origin_.kind; }
  std::string_view listener() const { return origin_.listener; }  // its configured name, or its address
  // Of a timer: how many ticks were lost since the last one that was handled, because no child was free. They
  // are counted here, and not repeated.
  std::uint64_t missed() const { return origin_.missed; }
  // Of a FIFO: the line without its newline, or the byte. Valid until the handler returns.
  std::string_view text() const { return origin_.text; }

  // Shown on the scoreboard until the handler returns, at most 48 bytes. By default it is the listener.
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
  // Called in a child, without privileges, for one trigger at a time. An exception is logged, and the trigger
  // counted as failed; it does not end the child.
  virtual void handle_trigger(Trigger& trigger) = 0;
};

}  // namespace brood
