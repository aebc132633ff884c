// SPDX-License-Identifier: MIT
// One connection over a socketpair, served by a child model as in a child.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include "base/event_descriptor.hpp"
#include "brood/error.hpp"
#include "brood/lambda.hpp"
#include "brood/testing.hpp"
#include "child/handler_guard.hpp"
#include "program/testing/conversation.hpp"

namespace brood::testing {
namespace {

// A child with one connection, which leaves when that is finished.
class OneConnection final : public Child, private ConnectionHost {
 public:
  OneConnection(ServerBase& server, Descriptor socket, const ChildLimits& limits)
      : server_(server),
        limits_(limits),
        socket_(std::move(socket)),
        arrived_(new_event(true)),
        leave_(new_event()) {}

  bool finished() const { return finished_; }
  Result& result() { return result_; }

  const ChildLimits& limits() const override { return limits_; }
  std::optional<Connection> accept() override { return take(true); }
  std::optional<Connection> try_accept() override { return take(false); }
  void finished(Connection connection, Outcome outcome) override {
    result_.outcome = with_traces(outcome, traces_of(connection));
    connection.close();
    server_.on_connection_end({.peer = Address(peer_),
                               .listener = its_listener,
                               .note = result_.notes.empty()
                                           ? std::string_view()
                                           : std::string_view(result_.notes.back()).substr(0, note_size),
                               .duration = std::chrono::steady_clock::now() - accepted_at_,
                               .bytes_read = connection.bytes_read(),
                               .bytes_written = connection.bytes_written(),
                               .outcome = result_.outcome});
    finished_ = true;
    tell_event(leave_.get());
  }
  bool leaving() const override { return finished_; }
  void watch_listeners(int epoll, std::uint64_t data) override {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, arrived_.get(), &event) != 0)
      throw SystemError("watch the connection", errno);
  }
  int listener_fd() override { return arrived_.get(); }
  int leave_fd() override { return leave_.get(); }
  unsigned beginning() const override { return 0; }
  std::optional<ConnectionId> receive(Receiver& /*receiver*/) override { return {}; }
  void finished(ConnectionId /*id*/, Outcome /*outcome*/, std::uint64_t /*read*/,
                std::uint64_t /*written*/) override {}
  void note(ConnectionId /*id*/, std::string_view text) override { result_.notes.emplace_back(text); }
  bool detached() const override { return false; }
  void extend_deadline(ConnectionId /*id*/, std::chrono::steady_clock::time_point /*until*/) override {}

 private:
  std::optional<Connection> take(bool blocks) {
    if (!socket_) return {};
    clear_event(arrived_.get());
    if (!blocks && ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK) != 0)
      throw SystemError("make the connection non-blocking", errno);
    return Connection(std::move(socket_), {.peer = peer_,
                                           .listener = its_listener,
                                           .host = *this,
                                           .blocks = blocks,
                                           .deadline = deadline_in(limits_.connection_timeout),
                                           .first_byte = deadline_in(limits_.first_byte_timeout)});
  }

  static constexpr std::string_view its_listener = "test";

  ServerBase& server_;
  const ChildLimits limits_;
  const std::chrono::steady_clock::time_point accepted_at_ = std::chrono::steady_clock::now();
  Descriptor socket_, arrived_, leave_;
  const sockaddr_storage peer_{.ss_family = AF_UNIX};
  bool finished_ = false;
  Result result_;
};

}  // namespace

Result run(ServerBase& server, std::string_view input, const ChildLimits& limits) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw SystemError("socketpair", errno);
  Descriptor peer(ends[1]);
  OneConnection child(server, Descriptor{ends[0]}, limits);
  std::string output;
  {
    const std::jthread conversation([&] { output = converse(peer, input); });
    try {
      server.serve(child);
    } catch (...) {
      ::shutdown(peer.get(), SHUT_RDWR);  // the server may still have the other end
      throw;
    }
    if (!child.finished()) ::shutdown(peer.get(), SHUT_RDWR);
  }
  if (!child.finished()) throw Error("testing: the server has taken no connection, or has not finished it");
  Result result = std::move(child.result());
  result.output = std::move(output);
  return result;
}

Result run(const std::function<void(Connection&)>& handler, std::string_view input) {
  LambdaServer<false, std::function<void(Connection&)>> server(handler);
  return run(server, input);
}

}  // namespace brood::testing
