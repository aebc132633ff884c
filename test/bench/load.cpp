// SPDX-License-Identifier: MIT
#include "load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// After a failure: a server that is gone must not be asked a million times a second.
constexpr auto rest = 1ms;
constexpr auto look_interval = 200ms;

struct Target {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Target unix_target(const std::string& path) {
  Target target;
  auto& address = reinterpret_cast<sockaddr_un&>(target.storage);
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw std::invalid_argument("path of a unix socket: " + path);
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  target.size = sizeof address;
  return target;
}

Target parse(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) return unix_target(text.substr(unix_prefix.size()));
  Target target;
  auto& address = reinterpret_cast<sockaddr_in&>(target.storage);
  const auto colon = text.find(':');
  in_port_t port = 0;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
      std::from_chars(text.data() + colon + 1, end, port).ptr != end || port == 0)
    throw std::invalid_argument("'" + text + "' is neither IPV4:PORT nor unix:PATH");
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  target.size = sizeof address;
  return target;
}

Failure kind_of(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
    case ENOENT:
      return Failure::refused;  // a unix socket's name is gone
    case ECONNRESET:
    case EPIPE:
      return Failure::reset;
    case ETIMEDOUT:
      return Failure::timed_out;
    default:
      return Failure::other;
  }
}

enum class State : std::uint8_t { resting, sending, reading, holding, ended };

struct Client {
  Descriptor socket;
  State state = State::resting;
  std::uint32_t interest = 0;  // what epoll watches
  Time began;                  // this exchange
  Time deadline;               // of what the state waits for
  std::size_t sent = 0;
  bool stands = false;  // the connection
  std::string answer;
};

class Load {
 public:
  Load(const LoadPlan& plan, LoadWatch& watch)
      : plan_(plan), watch_(watch), target_(parse(plan.address)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }

  LoadResult run() {
    start_ = Clock::now();
    end_ = plan_.duration > 0ns ? start_ + plan_.duration : Time::max();
    next_look_ = start_ + look_interval;
    clients_.resize(plan_.concurrency);
    running_ = clients_.size();
    for (auto& client : clients_) begin(client, Clock::now());
    while (running_ > 0) turn();
    note_end(Clock::now());
    return std::move(result_);
  }

 private:
  bool over(Time now) const { return now >= end_ || watch_.stop.load(std::memory_order_relaxed); }

  void turn() {
    std::array<epoll_event, 64>
        events;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
    const Time now = Clock::now();
    // Waits end with the next deadline, and soon enough to hear of a stop.
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::min(next_deadline_, now + 20ms) - now).count();
    const int number = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                    static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (number < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_wait");
    for (int i = 0; i < number; ++i) advance(clients_[events[static_cast<std::size_t>(i)].data.u64]);
    const Time then = Clock::now();
    if (over(then)) {
      note_end(then);
      next_deadline_ = then;
    }
    if (then >= next_deadline_) check_deadlines(then);
    if (plan_.on_look && then >= next_look_) {
      next_look_ = then + look_interval;
      result_.elapsed = then - start_;
      result_.in_time = result_.answered;
      plan_.on_look(result_);
    }
  }

  void note_end(Time now) {
    if (ended_) return;
    ended_ = true;
    result_.elapsed = now - start_;
    result_.in_time = result_.answered;
  }

  void begin(Client& client, Time now) {
    if (over(now) || (plan_.connections > 0 && begun_ == plan_.connections)) return end(client);
    ++begun_;
    client.socket.reset(::socket(target_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    client.interest = 0;
    client.stands = false;
    client.began = now;
    if (!client.socket || !bind_source(client)) return fail(client, errno, now);
    if (::connect(client.socket.get(), target_.address(), target_.size) != 0 && errno != EINPROGRESS) {
      if (errno != EAGAIN) return fail(client, errno, now);
      --begun_;  // the queue of a unix socket is full: this was no attempt yet
      return rest_a_while(client, now);
    }
    // On the loopback the connection mostly stands by now: no need to ask epoll first.
    exchange(client, now);
  }

  // A connection of ours that has ended blocks its (address, port) pair for a minute. With ever other
  // addresses there are always free ports.
  bool bind_source(const Client& client) {
    if (target_.family() != AF_INET ||
        (ntohl(reinterpret_cast<const sockaddr_in&>(target_.storage).sin_addr.s_addr) >> 24U) !=
            IN_LOOPBACKNET)
      return true;
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source_ = source_ % 0xfffff0 + 1;
    source.sin_addr.s_addr = htonl((static_cast<std::uint32_t>(IN_LOOPBACKNET) << 24U) + source_);
    const int on = 1;
    return ::setsockopt(client.socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
           ::bind(client.socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0;
  }

  void exchange(Client& client, Time now) {
    client.began = now;
    client.sent = 0;
    client.answer.clear();
    client.state = State::sending;
    set_deadline(client, now + plan_.timeout);
    send(client, now);
  }

  void advance(Client& client) {
    const Time now = Clock::now();
    if (client.state == State::sending)
      send(client, now);
    else if (client.state == State::reading)
      receive(client, now);
  }

  void send(Client& client, Time now) {
    const std::string_view left = std::string_view(plan_.payload).substr(client.sent);
    const ssize_t size = ::send(client.socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
    // A refused connection shows here, once; a recv() after it would look like an orderly end.
    if (size < 0 && errno != EAGAIN) return fail(client, errno, now);
    if (size >= 0) {
      client.stands = true;
      client.sent += static_cast<std::size_t>(size);
    }
    if (client.sent == plan_.payload.size()) client.state = State::reading;
    want(client, client.state == State::reading ? EPOLLIN : EPOLLOUT);
  }

  void receive(Client& client, Time now) {
    const ssize_t size = ::recv(client.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return fail(client, errno, now);
    if (size == 0) return fail(client, Failure::closed, now);
    if (client.answer.empty()) result_.first_byte.add(now - client.began);
    client.answer.append(buffer_.data(), static_cast<std::size_t>(size));
    if (client.answer.back() == '\n') answered(client, now);
  }

  void answered(Client& client, Time now) {
    ++result_.answered;
    watch_.answered.store(result_.answered, std::memory_order_relaxed);
    result_.whole.add(now - client.began);
    if (plan_.on_answer) plan_.on_answer(std::string_view(client.answer).substr(0, client.answer.size() - 1));
    if (plan_.hold > 0ns) {
      client.state = State::holding;
      want(client, 0);
      return set_deadline(client, now + plan_.hold);
    }
    next(client, now);
  }

  void next(Client& client, Time now) {
    if (plan_.keep_alive && !over(now)) return exchange(client, now);
    client.socket.reset();
    begin(client, now);
  }

  void fail(Client& client, int error_number, Time now) {
    const Failure kind = kind_of(error_number);
    if (kind == Failure::other && result_.other_error == 0) result_.other_error = error_number;
    fail(client, kind, now);
  }

  void fail(Client& client, Failure kind, Time now) {
    ++result_.failures[static_cast<std::size_t>(kind)];
    rest_a_while(client, now);
  }

  void rest_a_while(Client& client, Time now) {
    client.socket.reset();
    client.state = State::resting;
    set_deadline(client, now + rest);
  }

  void end(Client& client) {
    client.socket.reset();
    client.state = State::ended;
    --running_;
  }

  void set_deadline(Client& client, Time deadline) {
    client.deadline = deadline;
    next_deadline_ = std::min(next_deadline_, deadline);
  }

  void check_deadlines(Time now) {
    next_deadline_ = Time::max();
    for (auto& client : clients_) {
      if (client.state == State::ended) continue;
      // Who waits for a connection when all is over has lost nothing; who has one still gets the answer.
      if (over(now) && client.state == State::sending && !client.stands) {
        end(client);
      } else if (now < client.deadline) {
        next_deadline_ = std::min(next_deadline_, client.deadline);
      } else if (client.state == State::resting) {
        begin(client, now);
      } else if (client.state == State::holding) {
        next(client, now);
      } else {
        fail(client, Failure::timed_out, now);
      }
    }
  }

  void want(Client& client, std::uint32_t interest) {
    if (client.interest == interest) return;
    epoll_event event{};
    event.events = interest;
    event.data.u64 = static_cast<std::uint64_t>(&client - clients_.data());
    const int operation = client.interest == 0 ? EPOLL_CTL_ADD
                          : interest == 0      ? EPOLL_CTL_DEL
                                               : EPOLL_CTL_MOD;
    if (::epoll_ctl(epoll_.get(), operation, client.socket.get(), &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    client.interest = interest;
  }

  const LoadPlan& plan_;
  LoadWatch& watch_;
  const Target target_;
  Descriptor epoll_;
  std::vector<Client> clients_;
  std::size_t running_ = 0;
  std::uint64_t begun_ = 0;  // connections
  std::uint32_t source_ = 0;
  Time start_, end_, next_look_;
  Time next_deadline_ = Time::max();  // no client has an earlier one
  bool ended_ = false;
  LoadResult result_;
  std::array<char, 65536> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
};

}  // namespace

std::uint64_t LoadResult::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

double LoadResult::rate() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(in_time) / seconds : 0;
}

std::string LoadResult::describe_failures() const {
  std::string text;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(failures[i]) + " " + std::string(failure_names[i]);
  }
  if (other_error != 0) text += " (" + std::generic_category().message(other_error) + ")";
  return text.empty() ? "none" : text;
}

LoadResult run_load(const LoadPlan& plan, LoadWatch& watch) { return Load(plan, watch).run(); }

}  // namespace brood::bench
