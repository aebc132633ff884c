// SPDX-License-Identifier: MIT
// A folder served by example/httpd, and a client that tells its answers apart.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server_process.hpp"

namespace brood::test {

// A folder with files, beside something that must not be served.
class Site {
 public:
  Site() {
    ::umask(022);  // the server is another user's
    std::filesystem::create_directory(root());
    ::chmod(directory_.path().c_str(), 0755);
    ::chmod(root().c_str(), 0755);
    std::ofstream(directory_ / "secret") << "secret";
  }

  std::string root() const { return directory_ / "root"; }
  std::string operator/(const std::string& path) const { return root() + "/" + path; }
  void write(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(*this / path).parent_path());
    std::ofstream(*this / path, std::ios::binary) << content;
  }
  void link(const std::string& path, const std::string& to) const {
    std::filesystem::create_symlink(to, *this / path);
  }

 private:
  TemporaryDirectory directory_;
};

// Not root, so that files may be unreadable to it.
inline ServerOptions web_options() {
  ServerOptions options{.program = "httpd"};
  if (::geteuid() == 0) options.user = 65534;
  return options;
}

class WebServer : public ServerProcess {
 public:
  explicit WebServer(const Site& site, std::vector<std::string> arguments = {})
      : ServerProcess(with_root(site, std::move(arguments)), web_options()) {}
  // Whatever a test does to it, it never costs a child.
  ~WebServer() { CHECK(service().children_failed == 0); }

 private:
  static std::vector<std::string> with_root(const Site& site, std::vector<std::string> arguments) {
    arguments.push_back("--document-root=" + site.root());
    return arguments;
  }
};

struct WebAnswer {
  int status = 0;
  std::string head, body;  // the head without the empty line

  bool has(const std::string& field) const { return head.find("\r\n" + field + ": ") != std::string::npos; }
  std::string operator[](const std::string& field) const {
    const auto at = head.find("\r\n" + field + ": ");
    if (at == std::string::npos) return "";
    const auto from = at + field.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
  bool keeps_alive() const { return (*this)["Connection"] == "keep-alive"; }
};

class WebClient {
 public:
  explicit WebClient(const ServerProcess& server) : WebClient(server.address()) {}
  explicit WebClient(const std::string& address) : client_(address) {}

  void send(const std::string& text) { client_.send(text); }
  void finish_sending() { client_.finish_sending(); }

  // The next answer. `with_body`: false for one to HEAD.
  WebAnswer answer(bool with_body = true) {
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) more();
    WebAnswer answer{.head = unread_.substr(0, end)};
    unread_.erase(0, end + 4);
    REQUIRE(answer.head.starts_with("HTTP/1.1 "));
    answer.status = std::stoi(answer.head.substr(9));
    const std::string length = answer["Content-Length"];
    const std::size_t size = with_body && !length.empty() ? std::stoul(length) : 0;
    while (unread_.size() < size) more();
    answer.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return answer;
  }
  WebAnswer get(const std::string& target, const std::string& fields = "",
                const std::string& method = "GET") {
    send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
    return answer(method != "HEAD");
  }
  std::string bytes(std::size_t number) {
    while (unread_.size() < number) more();
    const std::string some = unread_.substr(0, number);
    unread_.erase(0, number);
    return some;
  }
  // What is left until the server closes. Throws ClientError: a reset, or it doesn't close.
  std::string rest() { return std::exchange(unread_, {}) + client_.until_end(); }

 private:
  void more() {
    const std::string some = client_.receive_some();
    if (some.empty()) throw ClientError(Ending::closed, "closed after '" + unread_ + "'");
    unread_ += some;
  }

  Client client_;
  std::string unread_;
};

}  // namespace brood::test
