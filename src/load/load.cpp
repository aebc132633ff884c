// SPDX-License-Identifier: MIT
#include "load/load.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "brood/descriptor.hpp"
#include "load/load_target.hpp"

namespace brood::load {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// After a failure: a server that is gone must not be asked a million times a second.
constexpr auto rest = 1ms;
constexpr auto look_interval = 1s;
// Clients that start between two looks at those that have. A listener's queue holds some thousands.
constexpr std::size_t starts_at_once = 256;

std::string request(const LoadPlan& plan) {
  if (plan.http_path.empty()) return plan.payload;
  const std::string host = plan.address.find(':') == std::string::npos || plan.address.starts_with("unix:")
                               ? "localhost"
                               : plan.address;
  return "GET " + plan.http_path + " HTTP/1.1\r\nHost: " + host +
         (plan.keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

enum class State : std::uint8_t { resting, sending, reading, holding, ended };

struct Client {
  Descriptor socket;  // one that has ended has it only if it stays
  State state = State::ended;
  std::uint32_t interest = 0;  // what epoll watches
  Time began;                  // this exchange
  Time deadline;               // of what the state waits for
  std::size_t sent = 0;
  bool stands = false;   // the connection
  bool waiting = false;  // for the first byte
  Answer answer;
};

}  // namespace

class Load::Loop {
 public:
  Loop(LoadPlan plan, LoadWatch& watch)
      : plan_(std::move(plan)),
        watch_(watch),
        form_(plan_.http_path.empty() ? plan_.form : AnswerForm::http),
        keeps_text_(plan_.on_answer || plan_.expected_body),
        request_(request(plan_)),
        target_(plan_.address),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        clients_(plan_.concurrency) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    raise_descriptor_limit(plan_.concurrency);
  }

  LoadResult run() {
    result_ = LoadResult();
    start_ = Clock::now();
    end_ = plan_.duration > 0ns ? start_ + plan_.duration : Time::max();
    next_look_ = start_ + look_interval;
    next_deadline_ = Time::max();
    ended_ = false;
    begun_ = requests_ = started_ = 0;
    running_ = clients_.size();
    while (running_ > 0) turn();
    note_end(Clock::now());
    result_.standing = standing_;
    return result_;
  }

 private:
  bool over(Time now) const { return now >= end_ || watch_.stop.load(std::memory_order_relaxed); }

  void turn() {
    std::array<epoll_event, 64>
        events;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the kernel
    start_some();
    const int number =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience(Clock::now()));
    if (number < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_wait");
    for (int i = 0; i < number; ++i) advance(clients_[events[static_cast<std::size_t>(i)].data.u64]);
    const Time now = Clock::now();
    if (over(now)) {
      note_end(now);
      next_deadline_ = now;
    }
    if (now >= next_deadline_) check_deadlines(now);
    if (plan_.on_look && now >= next_look_) {
      next_look_ = now + look_interval;
      result_.elapsed = now - start_;
      result_.in_time = result_.answered;
      result_.standing = standing_;
      plan_.on_look(result_);
    }
  }

  void start_some() {
    const std::size_t until = std::min(started_ + starts_at_once, clients_.size());
    for (; started_ < until; ++started_) {
      Client& client = clients_[started_];
      client.socket ? next(client, Clock::now()) : begin(client, Clock::now());
    }
  }

  // Waits end with the next deadline, and soon enough to hear of a stop.
  int patience(Time now) const {
    if (started_ < clients_.size()) return 0;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::min(next_deadline_, now + 20ms) - now).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
  }

  void note_end(Time now) {
    if (ended_) return;
    ended_ = true;
    result_.elapsed = now - start_;
    result_.in_time = result_.answered;
  }

  void begin(Client& client, Time now) {
    if (over(now) || (plan_.connections > 0 && begun_ == plan_.connections) || !take_request())
      return end(client);
    ++begun_;
    client.interest = 0;
    client.began = now;
    client.socket = target_.connect(SOCK_NONBLOCK);
    if (!client.socket) {
      // NOLINTNEXTLINE(clang-analyzer-unix.Errno): connect() has set it
      if (errno != EAGAIN) return fail(client, errno, now);
      --begun_;  // the queue of a unix socket is full: this was no attempt yet
      --requests_;
      return rest_a_while(client, now);
    }
    // On the loopback the connection mostly stands by now: no need to ask epoll first.
    exchange(client, now);
  }

  // False: there were enough.
  bool take_request() {
    if (plan_.requests > 0 && requests_ == plan_.requests) return false;
    ++requests_;
    return true;
  }

  void exchange(Client& client, Time now) {
    client.began = now;
    client.sent = 0;
    client.waiting = true;
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
    const std::string_view left = std::string_view(request_).substr(client.sent);
    const ssize_t size = ::send(client.socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
    // A refused connection shows here, once; a recv() after it would look like an orderly end.
    if (size < 0 && errno != EAGAIN) return fail(client, errno, now);
    if (size >= 0) {
      if (!client.stands) ++standing_;
      client.stands = true;
      client.sent += static_cast<std::size_t>(size);
      result_.bytes_sent += static_cast<std::size_t>(size);
    }
    if (client.sent == request_.size()) client.state = State::reading;
    want(client, client.state == State::reading ? EPOLLIN : EPOLLOUT);
  }

  void receive(Client& client, Time now) {
    const ssize_t size = ::recv(client.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return fail(client, errno, now);
    if (size == 0) return fail(client, Failure::closed, now);
    if (client.waiting) result_.first_byte.add(now - client.began);
    client.waiting = false;
    const std::string_view input(buffer_.data(), static_cast<std::size_t>(size));
    result_.bytes_received += input.size();
    switch (client.answer.take(form_, input, keeps_text_)) {
      case Answer::Progress::partial:
        return;
      case Answer::Progress::malformed:
        return fail(client, Failure::malformed, now);
      case Answer::Progress::whole:
        answered(client, now);
    }
  }

  void answered(Client& client, Time now) {
    if (plan_.on_answer) plan_.on_answer(client.answer.text());
    if (form_ == AnswerForm::http) ++result_.statuses[client.answer.status() / 100];
    if (is_right(client.answer)) {
      ++result_.answered;
      watch_.answered.store(result_.answered, std::memory_order_relaxed);
      result_.whole.add(now - client.began);
    } else {
      ++result_.failures[static_cast<std::size_t>(Failure::wrong)];
    }
    if (plan_.keep_alive && client.answer.announces_close()) {
      ++result_.announced_closes;
      drop(client);
      return begin(client, now);
    }
    if (plan_.hold > 0ns) {
      client.state = State::holding;
      want(client, 0);
      return set_deadline(client, now + plan_.hold);
    }
    next(client, now);
  }

  bool is_right(const Answer& answer) const {
    return (!plan_.expected_body || answer.body() == *plan_.expected_body) &&
           (plan_.expected_status == 0 || answer.status() == plan_.expected_status);
  }

  void next(Client& client, Time now) {
    if (!plan_.keep_alive) drop(client);
    if (plan_.pause > 0ns && !over(now)) return wait_for(plan_.pause, client, now);
    go_on(client, now);
  }

  void go_on(Client& client, Time now) {
    if (client.socket && !over(now) && take_request()) return exchange(client, now);
    if (client.socket && plan_.stay) return end(client);
    drop(client);
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
    drop(client);
    wait_for(rest, client, now);
  }

  void wait_for(std::chrono::nanoseconds pause, Client& client, Time now) {
    client.state = State::resting;
    if (client.socket) want(client, 0);
    set_deadline(client, now + pause);
  }

  void drop(Client& client) {
    if (client.stands) --standing_;
    client.stands = false;
    client.socket.reset();
    client.answer.clear();
  }

  void end(Client& client) {
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
        drop(client);
        end(client);
      } else if (client.state == State::resting && (over(now) || now >= client.deadline)) {
        go_on(client, now);
      } else if (now < client.deadline) {
        next_deadline_ = std::min(next_deadline_, client.deadline);
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

  const LoadPlan plan_;
  LoadWatch& watch_;
  const AnswerForm form_;
  const bool keeps_text_;
  const std::string request_;
  LoadTarget target_;
  Descriptor epoll_;
  std::vector<Client> clients_;
  std::size_t running_ = 0, started_ = 0;   // clients
  std::uint64_t begun_ = 0, standing_ = 0;  // connections
  std::uint64_t requests_ = 0;
  Time start_, end_, next_look_;
  Time next_deadline_ = Time::max();  // no client has an earlier one
  bool ended_ = false;
  LoadResult result_;
  std::array<char, 65536> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
};

Load::Load(LoadPlan plan, LoadWatch& watch) : loop_(std::make_unique<Loop>(std::move(plan), watch)) {}
Load::~Load() = default;
LoadResult Load::run() { return loop_->run(); }

}  // namespace brood::load
