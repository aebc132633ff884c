// SPDX-License-Identifier: MIT
#include "program/status/http_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;
using Error_code = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

constexpr std::size_t most_clients = 64;
constexpr std::size_t largest_head = 8192;  // bytes of a request
constexpr auto time_to_ask = 75s;           // also between two requests
constexpr auto time_to_read = 20s;          // an answer
constexpr auto time_to_ask_at_end = 1s;
constexpr auto time_to_end = 5s;
constexpr auto pause_of_accept = 200ms;  // without descriptors or memory

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  std::array<char, 40> written{};
  ::gmtime_r(&now, &utc);
  return {written.data(), std::strftime(written.data(), written.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

// Whether the client has connected to an address of the loopback.
bool on_loopback(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.ss_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24U == IN_LOOPBACKNET;
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

HttpAnswer plain(unsigned status, std::string body) { return {.status = status, .body = std::move(body)}; }

class Session;

// What all sessions use.
class Sessions {
 public:
  using Answer = std::function<HttpAnswer(const HttpRequest&)>;
  explicit Sessions(Answer answer) : answer_(std::move(answer)) {}

  const Answer& answer() const { return answer_; }
  bool leaving() const { return leaving_; }
  void add(const std::shared_ptr<Session>& session);
  void remove(const Session* session) { std::erase(all_, session); }
  void leave();

 private:
  Answer answer_;
  std::vector<Session*> all_;  // in the order in which they came
  bool leaving_ = false;
};

// One client. It lives as long as an operation on its socket is under way.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Socket socket, std::shared_ptr<Sessions> sessions)
      : checks_host_(on_loopback(socket.native_handle())),
        stream_(std::move(socket)),
        buffer_(2 * largest_head),
        sessions_(std::move(sessions)) {}
  ~Session() { sessions_->remove(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool waits_for_request() const { return waits_; }
  void close() {
    waits_ = false;
    stream_.close();
  }
  void ask_at_end() {
    if (waits_) stream_.expires_after(time_to_ask_at_end);
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(largest_head);
    waits_ = true;
    stream_.expires_after(sessions_->leaving() ? std::chrono::seconds(time_to_ask_at_end) : time_to_ask);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](Error_code error, std::size_t) { self->take(error); });
  }

 private:
  void take(Error_code error) {
    waits_ = false;
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return write(plain(431, "the head of a request has at most 8192 bytes\n"), false);
    if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message)
      return write(plain(400, "this is no HTTP request\n"), false);
    if (error) return;
    const Request& request = parser_->get();
    if (!parser_->is_done()) return write(plain(413, "a request has no body here\n"), false);
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      HttpAnswer answer = plain(405, "only GET and HEAD are answered\n");
      answer.fields.emplace_back("Allow", "GET, HEAD");
      return write(std::move(answer), request.keep_alive());
    }
    const auto text_of = [](beast::string_view text) { return std::string(text.data(), text.size()); };
    if (checks_host_ && !names_this_machine(text_of(request[http::field::host])))
      return write(plain(421, "the field Host must be an address, or localhost\n"), false);
    std::string target = text_of(request.target());
    target.resize(std::min(target.find('?'), target.size()));
    write(sessions_->answer()({std::move(target), text_of(request[http::field::accept])}),
          request.keep_alive());
  }

  void write(HttpAnswer answer, bool keep_alive) {
    const Request& request = parser_->get();
    response_ = Response(http::int_to_status(answer.status), request.version() == 10 ? 10 : 11);
    response_.set(http::field::date, date());
    response_.set(http::field::content_type, answer.type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.fields) response_.set(name, value);
    response_.keep_alive(keep_alive && !sessions_->leaving());
    response_.content_length(answer.body.size());
    if (request.method() != http::verb::head) response_.body() = std::move(answer.body);
    stream_.expires_after(time_to_read);
    http::async_write(stream_, response_, [self = shared_from_this()](Error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) return self->read();
      if (!error) self->end();
    });
  }

  // A close() with bytes unread would reset the connection, and the client might lose the answer.
  void end() {
    Error_code ignored;
    std::ignore = stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    stream_.expires_after(time_to_ask_at_end);
    drain();
  }
  void drain() {
    stream_.async_read_some(asio::buffer(rest_), [self = shared_from_this()](Error_code error, std::size_t) {
      if (!error) self->drain();
    });
  }

  const bool checks_host_;
  bool waits_ = false;
  beast::basic_stream<asio::generic::stream_protocol> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  Response response_;
  std::array<char, 1024> rest_{};
  std::shared_ptr<Sessions> sessions_;
};

// With too many, the one that has come first and asks nothing goes.
void Sessions::add(const std::shared_ptr<Session>& session) {
  if (all_.size() >= most_clients) {
    const auto idle = std::ranges::find_if(all_, &Session::waits_for_request);
    if (idle == all_.end()) return;  // the new one is closed
    (*idle)->close();
  }
  all_.push_back(session.get());
  session->read();
}

void Sessions::leave() {
  leaving_ = true;
  for (Session* session : all_) session->ask_at_end();
}

class Acceptor {
 public:
  Acceptor(asio::io_context& loop, Descriptor listener, std::shared_ptr<Sessions> sessions)
      : loop_(loop), listener_(loop, listener.release()), pause_(loop), sessions_(std::move(sessions)) {}

  void accept() {
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](Error_code error) {
      if (!error) take();
    });
  }
  void close() {
    Error_code ignored;
    std::ignore = listener_.close(ignored);
    pause_.cancel();
  }

 private:
  void take() {
    Descriptor socket(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      int family = 0;
      socklen_t size = sizeof family;
      ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
      Socket client(loop_, asio::generic::stream_protocol(family, 0), socket.release());
      sessions_->add(std::make_shared<Session>(std::move(client), sessions_));
      return accept();
    }
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return accept();
    pause_.expires_after(pause_of_accept);
    pause_.async_wait([this](Error_code error) {
      if (!error) accept();
    });
  }

  asio::io_context& loop_;
  asio::posix::stream_descriptor listener_;
  asio::steady_timer pause_;
  std::shared_ptr<Sessions> sessions_;
};

}  // namespace

struct HttpServer::State {
  asio::io_context loop{1};
  std::shared_ptr<Sessions> sessions;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
};

HttpServer::HttpServer(std::vector<Descriptor> listeners,
                       std::function<HttpAnswer(const HttpRequest&)> answer)
    : state_(std::make_unique<State>()) {
  state_->sessions = std::make_shared<Sessions>(std::move(answer));
  for (Descriptor& listener : listeners) {
    // All who share it: the process that this one replaces waits for it in the same way.
    if (::fcntl(listener.get(), F_SETFL, O_NONBLOCK) != 0) throw SystemError("set a listener's flags", errno);
    state_->acceptors.push_back(
        std::make_unique<Acceptor>(state_->loop, std::move(listener), state_->sessions));
  }
}

HttpServer::~HttpServer() = default;

void HttpServer::run(Descriptor parent) {
  State& state = *state_;
  asio::posix::stream_descriptor end(state.loop, parent.release());
  end.async_wait(asio::posix::stream_descriptor::wait_read, [&](Error_code) { state.loop.stop(); });
  for (const auto& acceptor : state.acceptors) acceptor->accept();
  state.loop.run();
  for (const auto& acceptor : state.acceptors) acceptor->close();
  state.sessions->leave();
  state.loop.restart();
  state.loop.run_for(time_to_end);  // less if no client is left
}

bool names_this_machine(std::string_view host) {
  constexpr std::string_view digits = "0123456789.";
  if (host.starts_with('[')) return true;  // an IPv6 address: no name has a bracket
  const std::string_view name = host.substr(0, host.find(':'));
  const bool address = name.find_first_not_of(digits) == std::string_view::npos;
  return address || name == "localhost";
}

}  // namespace brood
