// SPDX-License-Identifier: MIT
// A server whose children serve many connections each, on an event loop (a reactor). Derive, and override
// handle_readable():
//
//   class Echo : public brood::EventServer {
//     Next handle_readable(brood::Connection& connection) override {
//       char buffer[4096];
//       if (const auto size = connection.try_read(buffer)) connection.write_all({buffer, *size});
//       return Next::request;
//     }
//   };
//
// A connection that waits needs no thread and no process. With threads-per-child, which the program permits
// by thread_safe(), handlers of different connections run at the same time; those of one connection never do.
#pragma once

#include "brood/cxx20.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "brood/server_base.hpp"

namespace brood {

class LoopTasks;
class Reactor;
using TimerId = std::uint64_t;  // of a timer of the child; 0 is of none

// What the connection waits for after the handler has returned.
enum class Next {
  more_input,  // the rest of a request, or the first request
  request,     // the next request, if any: a child that leaves closes the connection if none comes
  close,       // nothing: the connection is closed when all that was written has been sent
};

// Names one connection of this child, also when it has ended. Small; may be copied, and used in any thread.
class ConnectionHandle {
 public:
  ConnectionHandle() = default;  // of no connection

  // Runs the function, which takes a Connection&, in the loop of the child: as the handlers of this
  // connection are run, never at the same time as one of them, in the order of the calls, and not before what
  // was written has been sent. It may write. If it returns a Next, that counts as of a handler; an exception
  // ends the connection. Does nothing if the connection has ended, or is to be closed. Returns at once.
  //
  // If more than most_waiting functions wait for the same connection, because its peer takes no output, the
  // connection is ended and counted as timed out. False: the loop refuses it, as EventServer::post().
  template <typename Function>
  bool post(Function function) const {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&, Connection&>>)
      return post_task([function = std::move(function)](Connection& connection, Next next) mutable {
        function(connection);
        return next;
      });
    else
      return post_task(
          [function = std::move(function)](Connection& connection, Next /*next*/) mutable -> Next {
            return function(connection);
          });
  }
  static constexpr std::size_t most_waiting = 1024;

  bool operator==(const ConnectionHandle&) const = default;

 private:
  friend class EventServer;
  ConnectionHandle(std::shared_ptr<LoopTasks> loop, std::uint64_t key) : loop_(std::move(loop)), key_(key) {}
  bool post_task(std::function<Next(Connection&, Next)> task) const;

  std::shared_ptr<LoopTasks> loop_;
  std::uint64_t key_ = 0;
};

class EventServer : public ServerBase {
 public:
  EventServer();
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }

  static constexpr std::size_t most_posted = 65'536;  // functions that wait in a child at once

 protected:
  using Next = brood::Next;

  // Called in a child, without privileges, when input or its end has come, or when what was written before
  // has been sent. Read what there is without waiting (try_read, try_line), and answer. It may take one line
  // a call: as long as it takes something, and does not look for more than there is, it is called again for
  // the rest. It is not called again before the answer has been sent, so that a peer which does not read
  // can't fill the memory. After the peer's end the connection is closed, whatever this returns. An exception
  // ends the connection, which is logged and counted as failed; it does not end the child.
  virtual Next handle_readable(Connection& connection) = 0;

  // The same for a connection that was just accepted, for servers that send first.
  virtual Next handle_accepted(Connection& /*connection*/) { return Next::more_input; }

  // A connection has one timer, which a handler of the connection sets and cancels. It is set in place of the
  // one before. When its time is over, handle_timer() is called, once, as the other handlers are: never at
  // the same time as another one of this connection, and not before what was written has been sent. It ends
  // with the connection. By default the connection is closed.
  void set_timer(const Connection& connection, std::chrono::milliseconds time);
  void cancel_timer(const Connection& connection);
  virtual Next handle_timer(Connection& /*connection*/) { return Next::close; }

  // In a handler of this connection: what other threads, and the handlers of other connections, use to write
  // to it.
  ConnectionHandle handle_of(const Connection& connection) const;

  // ---- The loop of this child runs other functions, too: one after another, in any of its threads. Those of
  // connections go on at the same time if there are several threads. A function that waits holds up the
  // loop; an exception is logged, and the child goes on. When the last connection of a child that leaves has
  // ended, all of them are dropped. Any thread may call these, from on_child_start() on; they return at once.
  // In the parent they throw Error.

  // Runs the function soon. False: most_posted functions wait already, those of handles too, because they
  // are posted faster than the loop runs them. Then it was not taken, and will not run: drop it, or wait and
  // post it again, but not in a handler. The log says it once.
  bool post(std::function<void()> function);
  // The same after this time, once or again and again. If it comes late, missed calls are not made up for.
  TimerId call_after(std::chrono::milliseconds time, std::function<void()> function);
  TimerId call_every(std::chrono::milliseconds interval, std::function<void()> function);
  void cancel(TimerId timer);
  // Runs the function whenever the descriptor is readable, or at its end: the function must read it. Call
  // unwatch() before it is closed. Throws SystemError if it can't be watched, or is watched already.
  void watch(int descriptor, std::function<void()> function);
  void unwatch(int descriptor);

 private:
  Reactor& reactor() const;

  const std::shared_ptr<LoopTasks> tasks_;
  Reactor* reactor_ = nullptr;  // while serve() runs
};

}  // namespace brood
