// SPDX-License-Identifier: MIT
// Shows a web server for static files: HTTP/1.1 with keep-alive, on EventServer, with any number of threads
// in a child. This file reads requests and answers them in order. brood_models(7), "A web server", describes
// its limits.
#include <sys/socket.h>

#include <array>
#include <brood/error.hpp>
#include <brood/event_server.hpp>
#include <brood/settings.hpp>
#include <chrono>
#include <filesystem>
#include <memory>

#include "answer.hpp"
#include "document_root.hpp"
#include "request_parser.hpp"

namespace httpd {
namespace {

using Clock = std::chrono::steady_clock;

// What is kept between two events of a connection.
struct Conversation {
  RequestParser parser;
  std::string unread;  // what the parser left: an incomplete request
  unsigned answered = 0;
  Clock::time_point waits_since;  // for the rest of a request, or for the peer's end; zero: it does not wait
  bool refused = false;           // no more requests are read; input is dropped
};

// After a refusal, how long input is read and dropped.
constexpr std::chrono::seconds linger_time{5};

class Httpd : public brood::EventServer {
  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    auto& root = settings.text("document-root", document_root_,
                               "The directory whose files are served. Files outside of it are not.");
    // Checked here, a mistake is reported with its file and line, and a reload with a mistake changes
    // nothing. The default need not exist until the server starts.
    root.parse = [parse = root.parse, unset = document_root_](const std::vector<std::string>& values) {
      std::error_code error;
      if (values.front() != unset && !std::filesystem::is_directory(values.front(), error))
        throw brood::ConfigurationError("is not a directory");
      return parse(values);
    };
    settings.number("keep-alive-requests", keep_alive_requests_, 0, 1'000'000'000,
                    "Close a connection after this many requests, so that clients are spread over the "
                    "children again. 0: never.");
    settings.duration("header-timeout", header_timeout_, std::chrono::milliseconds(0), std::chrono::hours(24),
                      "If a request is not complete after this time, it is refused when more of it comes. If "
                      "no more comes, connection-idle-timeout closes the connection. 0: no limit.");
  }

  void on_parent_start() override { root_ = std::make_unique<DocumentRoot>(document_root_); }
  void on_reload() override { on_parent_start(); }  // if it throws, the former root stays

  Next handle_readable(brood::Connection& connection) override {
    auto& talk = connection.state<Conversation>();
    if (talk.refused) return read_away(connection, talk);
    try {
      return converse(connection, talk);
    } catch (const Refusal& refusal) {
      answer(connection, refusal);
      talk.refused = true;
      talk.waits_since = Clock::now();
      return connection.has_output() ? Next::more_input : read_away(connection, talk);
    }
  }

  Next converse(brood::Connection& connection, Conversation& talk) const {
    std::array<char, largest_header + 8192> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t size = talk.unread.copy(buffer.data(), buffer.size());
    talk.unread.clear();
    size += connection.try_read({buffer.data() + size, buffer.size() - size}).value_or(0);
    std::string_view input(buffer.data(), size);

    // Pipelined requests are answered in order. While an answer is being sent, the next request is left
    // alone, and no file is opened for it.
    while (!connection.has_output()) {
      input.remove_prefix(talk.parser.take(input));
      if (!talk.parser.complete()) break;
      const bool keep_alive = keeps_alive(connection, talk, !input.empty());
      answer(connection, talk.parser.request(), *root_, keep_alive);
      if (!keep_alive) return Next::close;
      talk.parser.next();
      talk.waits_since = {};
    }
    talk.unread = input;
    if (connection.has_output()) return Next::more_input;
    if (!talk.parser.began() && input.empty()) return Next::request;
    if (connection.ended()) throw Refusal{Status::bad_request, {}};
    check_time(talk);
    return Next::more_input;
  }

  // A child that leaves answers the requests that it has read, then closes the connection.
  bool keeps_alive(const brood::Connection& connection, Conversation& talk, bool has_more) const {
    ++talk.answered;
    return talk.parser.request().keep_alive && (has_more || !connection.leaving()) &&
           (keep_alive_requests_ == 0 || talk.answered < keep_alive_requests_);
  }

  // If the peer still sends what was refused, closing the connection would reset it, and the peer might lose
  // the refusal.
  static Next read_away(brood::Connection& connection, const Conversation& talk) {
    ::shutdown(connection.descriptor(), SHUT_WR);
    std::array<char, 16'384> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    connection.try_read(unwanted);
    return Clock::now() - talk.waits_since > linger_time ? Next::close : Next::request;
  }

  // Without a timer: the kit ends connections that send nothing at all.
  void check_time(Conversation& talk) const {
    const auto now = Clock::now();
    if (talk.waits_since == Clock::time_point{}) talk.waits_since = now;
    if (header_timeout_.count() > 0 && now - talk.waits_since > header_timeout_)
      throw Refusal{Status::request_timeout, {}};
  }

  std::string document_root_ = "/var/www/html";
  unsigned keep_alive_requests_ = 1000;
  std::chrono::milliseconds header_timeout_{std::chrono::seconds(30)};
  std::unique_ptr<const DocumentRoot> root_;
};

}  // namespace
}  // namespace httpd

int main(int argc, char** argv) { return httpd::Httpd().run(argc, argv); }
