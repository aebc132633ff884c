// SPDX-License-Identifier: MIT
// One request and its answer, between the client and the origin.
#pragma once

#include "origin.hpp"

namespace proxy {

struct Target {
  Site site;
  std::string path;  // "": CONNECT
};

inline Target parse_target(const http::header<true>& head) {
  const std::string target(head.target());
  if (head.version() >= 11 && head.count(http::field::host) != 1) throw bad_request("there is not one Host");
  if (head.method() == http::verb::connect) return {.site = parse_site(target, 0), .path = ""};
  if (!iequals(target.substr(0, 7), "http://"))
    throw bad_request("this is a proxy: it takes requests for http://HOST/PATH, and CONNECT HOST:PORT");
  const auto path = std::min(target.find_first_of("/?#", 7), target.size());
  Target parsed{.site = parse_site(target.substr(7, path - 7), 80), .path = target.substr(path)};
  if (!parsed.path.starts_with('/')) parsed.path.insert(0, "/");
  return parsed;
}

struct Rewriting {
  std::string via = "proxy";
  std::vector<std::string> add, pass;  // pass: names; empty is all
};

// What goes wrong with the origin is a page for the client. What goes wrong with the client ends its handler.
template <typename Work>
auto at_origin(Work work) {
  try {
    return work();
  } catch (const brood::TimeoutError& error) {
    throw gateway_timeout(error.what());
  } catch (const brood::Error& error) {
    throw bad_gateway(error.what());
  }
}

// Its functions return whether another request may follow. They throw Refusal as long as the client has not
// got the head of an answer, ConnectionError if an answer can only be cut short.
class Exchange {
 public:
  // `direct`: the origin is no other proxy.
  Exchange(brood::Connection& client, Origin& origin, bool direct, const Rewriting& rewriting)
      : client_(client), origin_(origin), direct_(direct), rewriting_(rewriting) {}

  bool forward(Request& request, const Target& target) {
    auto& head = request.head;
    http_1_0_ = head.version() < 11;
    to_head_ = head.method() == http::verb::head;
    const bool expects = !http_1_0_ && lists(head, http::field::expect, "100-continue");
    const bool keep = !http_1_0_ && !lists(head, http::field::connection, "close") &&
                      !lists(head, http::field::proxy_connection, "close");
    rewrite(request, target);
    if (request.body.framing != Framing::none) origin_.send_at_once();
    const bool body_follows = request.body.length > 0 && !expects;
    at_origin([&] { origin_.connection().write_all(request.text(), body_follows); });
    std::optional<Answer> answer;
    const auto hear = [&] {
      Answer next = hear_answer();
      if (next.head.result_int() >= 200)
        answer = std::move(next);
      else if (!http_1_0_)
        client_.write_all(next.text());  // 100 Continue, for example
    };
    while (expects && !answer && origin_.speaks_before(client_)) hear();
    const bool complete = !answer && send_body(request.body);
    while (!answer) hear();
    return pass_on(std::move(*answer), keep && complete);
  }

  bool tunnel(const Target& target) {
    if (!direct_) {
      const std::string site = target.site.text();
      at_origin([&] {
        origin_.connection().write_all("CONNECT " + site + " HTTP/1.1\r\nHost: " + site + "\r\n\r\n");
      });
      if (Answer answer = hear_answer(); answer.head.result_int() / 100 != 2)
        return pass_on(std::move(answer), false);
    }
    origin_.send_at_once();
    client_.write_all("HTTP/1.1 200 Connection established\r\n\r\n");
    client_.relay(origin_.connection());
    return false;
  }

 private:
  void rewrite(Request& request, const Target& target) const {
    auto& head = request.head;
    const auto passes = [&](boost::string_view name) {
      return rewriting_.pass.empty() || iequals(name.substr(0, 8), "Content-") ||
             std::ranges::any_of(rewriting_.pass, [&](const auto& other) { return iequals(name, other); });
    };
    remove_hop_by_hop(head);
    for (auto field = head.begin(); field != head.end();)
      field = passes(field->name_string()) ? std::next(field) : head.erase(field);
    if (http_1_0_) head.erase(http::field::expect);
    const std::string site = target.site.text();
    head.target(direct_ ? target.path : "http://" + site + target.path);
    head.set(http::field::host, target.site.port == 80 ? site.substr(0, site.rfind(':')) : site);
    for (const auto& field : rewriting_.add)
      head.insert(field.substr(0, field.find(": ")), field.substr(field.find(": ") + 2));
    finish(request, request.body.framing, false);
  }

  template <typename Message>
  void finish(Message& message, Framing framing, bool keep) const {
    auto& head = message.head;
    if (!rewriting_.via.empty())
      head.insert(http::field::via, (head.version() < 11 ? "1.0 " : "1.1 ") + rewriting_.via);
    head.version(11);
    if (framing == Framing::chunked) head.set(http::field::transfer_encoding, "chunked");
    head.set(http::field::connection, keep ? "keep-alive" : "close");
  }

  // False: the origin did not take all of it. It may have answered.
  bool send_body(Body body) {
    const auto give = [&](std::string_view piece) {
      at_origin([&] { write_piece(origin_.connection(), body.framing, piece); });
    };
    try {
      read_body(client_, body, give);
      give("");
      return true;
    } catch (const Refusal& refusal) {
      if (!refusal.status.starts_with("502")) throw;
      return false;
    }
  }

  Answer hear_answer() {
    return at_origin([&] {
      auto answer = read_message<false>(origin_.connection());
      if (!answer) throw bad_gateway("the server has closed the connection without an answer");
      const unsigned status = answer->head.result_int();
      if (status == 101) throw bad_gateway("the server has changed the protocol");
      if (to_head_ || status == 204 || status == 304) answer->body = {};
      remove_hop_by_hop(answer->head);
      return *answer;
    });
  }

  bool pass_on(Answer answer, bool keep) {
    const bool unchunk = http_1_0_ && answer.body.framing == Framing::chunked;
    const Framing framing = unchunk ? Framing::until_end : answer.body.framing;
    keep = keep && framing != Framing::until_end;
    finish(answer, framing, keep);
    std::string head = answer.text();
    const auto& from = origin_.connection();
    const bool body_is_here = answer.body.length > 0 && from.bytes_read() > from.bytes_taken();
    if (!body_is_here) client_.write_all(std::exchange(head, ""), answer.body.length > 0);
    const auto give = [&](std::string_view piece) {
      if (head.empty()) return write_piece(client_, framing, piece);
      client_.write_all(std::exchange(head, ""), piece);  // in one system call
    };
    try {
      read_body(origin_.connection(), answer.body, give);
      write_piece(client_, framing, "");
    } catch (const Refusal& refusal) {
      throw brood::ConnectionError(refusal.what(), EPROTO);
    }
    return keep;
  }

  brood::Connection& client_;
  Origin& origin_;
  const bool direct_;
  const Rewriting& rewriting_;
  bool http_1_0_ = false, to_head_ = false;  // the request
};

}  // namespace proxy
