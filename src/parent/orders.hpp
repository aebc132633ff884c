// SPDX-License-Identifier: MIT
// The orders that the control socket takes. Each is obeyed at once, or as soon as the settings that it needs
// have been looked up, and answered when its outcome is known.
// They act on ServerOrders and know nothing of the parent's loop. Parent only.
//
//   request                          answer, before `done`
//   reload [service=]                service …, one each; or mistake text=, one each
//   start, stop, restart service=    service …
//   stop [now=1]                     when the parent ends
//   pause, resume service=           service …
//   scale service= NAME=VALUE …      setting name= from= to=, one each; or mistake text=
//   retire pid=                      child pid= service= milliseconds=
//   signal service= signal=          signal service= name= children=
//   reopen, upgrade
//   check                            mistake text=, one each
//
//   service name= state= generation= children= before= gone= milliseconds= connections= lost=
//     (without connections=: its program does not report them, and lost= has those of the queues)
//     children: now; before: when the order was given; gone: how many of those have ended; connections:
//     accepted since; lost: aborted or reset since
//     changed: of a reload, the settings that have other values, or "new"; "": none
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parent/control.hpp"
#include "parent/service_list.hpp"

namespace brood {

// What can be ordered of a running server, by a signal or by the control socket. The parent implements it.
class ServerOrders {
 public:
  // Has all looked up that the settings name, without waiting for it. `restarted`: the service that will
  // start again; "": none. Then calls `then`. While that runs, what is declared below finds what was looked
  // up. `failure`: why nothing was; "": it was.
  virtual void when_looked_up(const std::string& restarted,
                              std::function<void(const std::string& failure)> then) = 0;

  // ---- in `then`
  using Reloaded = ServiceList::Outcome;
  // `only`: the service that it is for; "": all. Throws Error, and then nothing has changed. Nothing has
  // changed either if no service has that name. The outcome names the services that keep their former
  // configuration while others have taken theirs.
  virtual Reloaded reload(const std::string& only) = 0;
  virtual void check() const = 0;  // throws what a reload would

  // ---- at any time
  // Throws Error, and then the log is still written to the former file.
  virtual void reopen_logs() = 0;

  struct Change {
    std::string setting, from, to;
  };
  virtual std::vector<Change> scale(Service& service, const ScaledSettings& changes) = 0;  // throws Error

  virtual void stop() = 0;
  virtual void stop_now() = 0;
  virtual bool stopping() const = 0;
  virtual bool ended() const = 0;

  // Replaces the program of this process by the file that is now at its path. Returns at once. last_upgrade()
  // of this program or of the next one has the outcome.
  virtual void upgrade() = 0;
  struct UpgradeOutcome {
    enum class State { none, under_way, done, refused } state = State::none;
    std::string message;  // done, refused: for people
  };
  virtual UpgradeOutcome last_upgrade() const = 0;

  virtual const ServiceList& services() const = 0;
  virtual bool accepts_new_services() const = 0;  // at a reload

 protected:
  ~ServerOrders() = default;
};

class Orders final : public RequestHandler {
 public:
  explicit Orders(ServerOrders& server) : server_(server) {}  // it outlives the orders

  Handled handle(const WireRecord& request, Time now) override;
  PendingAnswer outcome_of_upgrade() const;  // for clients of the former program

 private:
  PendingAnswer obey(const struct KnownOrder& order, const WireRecord& request, Time now);

  ServerOrders& server_;
};

// What an order needs of the settings.
enum class Needs { nothing, settings, settings_to_start };

// An order as the tables have it: service_orders.cpp, server_orders.cpp.
struct KnownOrder {
  std::string_view name;
  // Throws Refusal, or Error with all mistakes, one a line.
  PendingAnswer (*obey)(ServerOrders& server, const WireRecord& request, Time now);
  Needs needs = Needs::nothing;
  bool while_stopping = false;
  bool crosses_exec = false;  // the next program of this process answers
};
extern const std::span<const KnownOrder> service_orders;  // those that start, stop and replace children
extern const std::span<const KnownOrder> server_orders;   // the others

PendingAnswer obey_reload(ServerOrders& server, const WireRecord& request, Time now);

}  // namespace brood
