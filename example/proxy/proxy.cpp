// SPDX-License-Identifier: MIT
// Shows a forward proxy for HTTP and HTTPS in plain blocking code: what tinyproxy does. This file has the
// settings, and the way of a request. brood_models(7), "A proxy", describes its limits.
#include <brood/brood.hpp>

#include "exchange.hpp"
#include "page.hpp"
#include "rules.hpp"

namespace proxy {

using namespace std::chrono_literals;

class Proxy : public brood::Server {
  bool thread_safe() const override { return true; }

  void add_settings(brood::Settings& settings) override {
    settings.set_default("listen", {"127.0.0.1:8888"});
    // Of clients that the kit's settings allow and deny turn away.
    settings.set_default("refusal", {R"(HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n)"});
    settings.list("basic-auth", users_, "USER:PASSWORD of those who are served. None: everybody.");
    settings.list("connect-port", connect_ports_, 1, 65'535, "The ports to which CONNECT is permitted.");
    settings.path("filter", filter_path_,
                  "A file of extended regular expressions, one on a line. A host that fits one is refused.");
    settings.flag("filter-default-deny", filter_inverted_, "Refuse the hosts that fit none of them instead.");
    settings.list("upstream", upstreams_, type_of<Upstream>("HOST:PORT or none"),
                  "The proxy that requests go to. ',for=HOST' or ',for=.DOMAIN' may follow; the first that "
                  "is for the host counts.");
    settings.text("via-proxy-name", rewriting_.via, "The name in the field Via. Empty: no such field.");
    settings.list("add-header", rewriting_.add, "NAME: VALUE of a field that is added to each request.");
    settings.list("anonymous", rewriting_.pass,
                  "The fields of requests that are passed on. None: all. Host and Content-... always are.");
    settings.text("stat-host", stat_host_, "The host whose page has this server's figures. Empty: none.");
    settings.path("stat-scoreboard", stat_path_,
                  "The scoreboard with them. Children must be able to read it.");
    settings.path("default-error-file", error_path_,
                  "The page of an error: HTML in which {errno}, {cause} and {detail} are replaced.");
    settings.duration("timeout", timeout_, 0ms, 24h, "How long to wait for a peer. 0: no limit.");
    settings.duration("keep-alive-timeout", keep_alive_, 0ms, 1h,
                      "How long a child waits for another request of its client. 0: it does not.");
  }

  void check_settings() override {
    read_filter(filter_path_);
    for (const auto& field : rewriting_.add)
      if (field.find(": ") == std::string::npos)
        throw brood::ConfigurationError("add-header is not NAME: VALUE");
    if (!error_path_.empty()) read_file(error_path_);
  }
  void on_parent_start() override {
    filter_ = read_filter(filter_path_);
    error_page_ = error_path_.empty() ? own_error_page : read_file(error_path_);
    credentials_.clear();
    for (const auto& user : users_) credentials_.push_back("Basic " + base64(user));
  }
  void on_reload() override { on_parent_start(); }

  void handle_connection(brood::Connection& client) override {
    client.set_timeouts(timeout_, timeout_);
    try {
      while (auto request = read_message<true>(client)) {
        if (!serve_request(client, *request) || client.leaving() || keep_alive_.count() == 0) return;
        client.set_timeouts(keep_alive_, timeout_);
      }
    } catch (const Refusal& refusal) {
      client.write_all(refusal_answer(refusal, error_page_));
    }
  }

  // Returns whether another request may follow.
  bool serve_request(brood::Connection& client, Request& request) const {
    const Target target = parse_target(request.head);
    client.note(std::string(request.head.method_string()) + " " + target.site.text());
    check_credentials(request.head);
    if (target.site.host == stat_host_) {
      client.write_all(statistics_answer(stat_path_));
      return false;
    }
    check_target(target);
    client.set_timeouts(timeout_, timeout_);
    const auto is_for = [&](const Upstream& upstream) { return upstream.is_for(target.site.host); };
    const auto upstream = std::ranges::find_if(upstreams_, is_for);
    const bool direct = upstream == upstreams_.end() || upstream->site.port == 0;
    Origin origin(direct ? target.site : upstream->site, timeout_);
    Exchange exchange(client, origin, direct, rewriting_);
    return target.path.empty() ? exchange.tunnel(target) : exchange.forward(request, target);
  }

  void check_credentials(const http::fields& fields) const {
    const auto given = fields[http::field::proxy_authorization];
    if (credentials_.empty() || std::ranges::find(credentials_, given) != credentials_.end()) return;
    throw Refusal("407 Proxy Authentication Required", "a user and a password are needed",
                  "Proxy-Authenticate: Basic realm=\"proxy\"\r\n");
  }

  void check_target(const Target& target) const {
    const auto& [host, port] = target.site;
    if (target.path.empty() && std::ranges::find(connect_ports_, port) == connect_ports_.end())
      throw forbidden("CONNECT to port " + std::to_string(port) + " is not permitted");
    const auto fits = [&](const std::regex& line) { return std::regex_search(host, line); };
    if (!filter_path_.empty() && std::ranges::any_of(filter_, fits) != filter_inverted_)
      throw forbidden("the host " + host + " is not permitted");
  }

  std::vector<std::string> users_, credentials_;
  std::vector<unsigned> connect_ports_ = {443, 563};
  std::string filter_path_;
  std::vector<std::regex> filter_;
  bool filter_inverted_ = false;
  std::vector<Upstream> upstreams_;
  Rewriting rewriting_;
  std::string stat_host_ = "proxy.stats";
  std::string stat_path_ = "/run/brood/proxy.scoreboard";
  std::string error_path_, error_page_;
  std::chrono::milliseconds timeout_ = 10min, keep_alive_ = 5s;
};

}  // namespace proxy

int main(int argc, char** argv) { return proxy::Proxy().run(argc, argv); }
