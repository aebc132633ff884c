// SPDX-License-Identifier: MIT
// Shows a web server for static files: HTTP/1.1 with keep-alive, on EventServer, with any number of threads
// in a child. This file reads requests and answers them in order. brood_models(7), "A web server", describes
// its limits.
#include <brood/event_server.hpp>
#include <brood/settings.hpp>
#include <filesystem>

#include "answer.hpp"

namespace httpd {
namespace {

// What is kept between two events of a connection.
struct Conversation {
  std::string begin;       // the first letter of a request that is not complete
  unsigned line_ends = 0;  // before it
  bool has_timer = false;  // runs since the first byte of the request
  bool is_head = false;    // the last request
  unsigned answered = 0;
  bool over = false;  // no more requests are read; input is dropped
};

// Bytes that some clients send after a body, and no client many of.
constexpr unsigned most_line_ends = 16;

// If the peer still sends, closing the connection would reset it, and the peer might lose the last answer. So
// its input is read and dropped until it closes, or for this time.
constexpr std::chrono::seconds linger_time{5};

class Httpd : public brood::EventServer {
  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    auto& root = settings.path("document-root", document_root_,
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
                      "A request that is not complete this long after its first byte, or after an empty line "
                      "before it, is refused. 0: no limit.");
  }

  void on_parent_start() override { root_ = std::make_unique<DocumentRoot>(document_root_); }
  void on_reload() override { on_parent_start(); }  // if it throws, the former root stays

  // One request a call. The kit calls it again as long as there are more, and the client takes the answers.
  Next handle_readable(brood::Connection& connection) override {
    auto& talk = connection.state<Conversation>();
    if (talk.over) {
      std::array<char, 16'384> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init)
      connection.try_read(unwanted);
      return Next::request;
    }
    try {
      auto head = next_head(connection, talk);
      if (!head) return wait_for_rest(connection, talk);
      talk.is_head = head->starts_with("HEAD ");
      connection.note(std::string_view(*head).substr(0, head->rfind(' ', head->find('\r'))));
      const Request request = parse_request(std::move(*head));
      const bool keep_alive = keeps_alive(connection, talk, request);
      Answer(connection, talk.is_head, keep_alive).give(request, *root_);
      if (!keep_alive) return end(connection, talk);
      return connection.has_output() ? Next::more_input : Next::request;
    } catch (const Refusal& refusal) {
      return refuse(connection, talk, refusal);
    }
  }

  Next handle_timer(brood::Connection& connection) override {
    auto& talk = connection.state<Conversation>();
    if (talk.over) return Next::close;
    return refuse(connection, talk, {http::status::request_timeout, "The request took too long to arrive."});
  }

  // All of a request before its empty line. Empty: it is not all there.
  static std::optional<std::string> next_head(brood::Connection& connection, Conversation& talk) try {
    while (talk.begin.empty()) {
      const auto letter = connection.try_exact(1);
      if (!letter) return {};
      if (*letter == "\r" || *letter == "\n") {
        if (++talk.line_ends > most_line_ends) throw bad_request("There are too many empty lines.");
      } else if (*letter < "A" || *letter > "Z") {  // no HTTP; TLS may not have an empty line
        throw bad_request("A request begins with a capital letter.");
      } else {
        talk.begin = *letter;
      }
    }
    auto rest = connection.try_until("\r\n\r\n", largest_head - 1);
    if (!rest && connection.ended()) throw bad_request("The request is not complete.");
    if (rest) rest->insert(0, std::exchange(talk.begin, {}));
    return rest;
  } catch (const brood::TooLongError&) {
    throw too_long(connection);
  } catch (const brood::ConnectionError&) {  // the peer's end
    throw bad_request("The request is not complete.");
  }

  static Refusal too_long(brood::Connection& connection) try {
    connection.try_until("\r\n", largest_head - 1);
    return {http::status::request_header_fields_too_large, "The header is too large."};
  } catch (const brood::TooLongError&) {
    return {http::status::uri_too_long, "The first line is too long."};
  }

  Next wait_for_rest(brood::Connection& connection, Conversation& talk) {
    if (connection.has_output()) return Next::more_input;
    if (talk.begin.empty() && talk.line_ends == 0) return Next::request;
    if (!std::exchange(talk.has_timer, true) && header_timeout_.count() > 0)
      set_timer(connection, header_timeout_);
    return Next::more_input;
  }

  // A child that leaves answers the requests that it has read, then closes the connection.
  bool keeps_alive(brood::Connection& connection, Conversation& talk, const Request& request) {
    if (std::exchange(talk.has_timer, false)) cancel_timer(connection);
    talk.line_ends = 0;
    ++talk.answered;
    return request.keep_alive() && !has_body(request) &&
           (connection.has_unseen_input() || !connection.leaving()) &&
           (keep_alive_requests_ == 0 || talk.answered < keep_alive_requests_);
  }

  Next refuse(brood::Connection& connection, Conversation& talk, const Refusal& refusal) {
    Answer(connection, talk.is_head, false).refuse(refusal);
    return end(connection, talk);
  }

  Next end(brood::Connection& connection, Conversation& talk) {
    connection.shutdown_write();
    talk.over = true;
    set_timer(connection, linger_time);
    return Next::request;
  }

  std::string document_root_ = "/var/www/html";
  unsigned keep_alive_requests_ = 1000;
  std::chrono::milliseconds header_timeout_{std::chrono::seconds(30)};
  std::unique_ptr<const DocumentRoot> root_;
};

}  // namespace
}  // namespace httpd

int main(int argc, char** argv) { return httpd::Httpd().run(argc, argv); }
