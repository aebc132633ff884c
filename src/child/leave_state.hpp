// SPDX-License-Identifier: MIT
// How far a child is on its way out, and how many of its threads accept at this moment. Decides what is to be
// done next, once each; does nothing itself. Knows no signals, no scoreboard and no lock: the caller
// serializes the calls.
#pragma once

#include <cstdint>

namespace brood {

enum class LeaveStage : std::uint8_t {
  serving,
  asking,     // serving, and the parent was asked for a replacement
  detaching,  // this_child::detach() was called, and threads still accept
  leaving,    // the parent knows that nothing more is accepted
  detached,   // the slot belongs to another child
};

enum class LeaveEvent : std::uint8_t {
  due,     // the cap is reached, or the settings are newer than the child
  detach,  // this_child::detach()
  quiet,   // no thread accepts at this moment
  over,    // no thread accepts, and none will: the child was told to leave
};

enum class LeaveAction : std::uint8_t {
  none,
  ask,        // ask the parent for a replacement
  leave,      // tell the parent that nothing more is accepted
  hand_back,  // give the slot back
};

struct LeaveStep {
  LeaveStage next;
  LeaveAction action;
};
LeaveStep step(LeaveStage stage, LeaveEvent event);

class LeaveState {
 public:
  LeaveAction replacement_due() { return on(LeaveEvent::due); }
  LeaveAction detach();
  // The child was told to leave, and its loop accepts nothing more.
  LeaveAction over();

  void thread_enters() { ++accepting_; }
  // `last`: this thread accepts nothing more.
  LeaveAction thread_leaves(bool last);
  unsigned accepting() const { return accepting_; }

  bool accepts() const { return stage_ == LeaveStage::serving || stage_ == LeaveStage::asking; }
  bool gone() const { return stage_ == LeaveStage::leaving || stage_ == LeaveStage::detached; }
  // True once, when the server's on_child_leaving() is to be called.
  bool take_hook();

 private:
  LeaveAction on(LeaveEvent event);

  LeaveStage stage_ = LeaveStage::serving;
  unsigned accepting_ = 0;  // threads in accept(), receive() or try_accept()
  bool hook_taken_ = false;
};

}  // namespace brood
