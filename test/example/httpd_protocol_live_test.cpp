// SPDX-License-Identifier: MIT
// example/httpd and requests that are odd, wrong, too large, or meant to be taken for two.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <thread>

#include "web.hpp"

using namespace brood::test;
using namespace std::string_literals;

namespace {

std::string repeated(const std::string& text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("requests that are answered with a status, and whether the connection is kept") {
  Site site;
  site.write("a", "a");
  const WebServer server(site);
  const std::string host = "Host: localhost\r\n";
  const std::string get = "GET /a HTTP/1.1\r\n";

  struct Case {
    std::string request;
    int status;
    bool kept;
  };
  const std::vector<Case> cases = {
      {get + host + "\r\n", 200, true},
      {"\r\n\r\n" + get + host + "\r\n", 200, true},
      {get + "hOST:localhost\r\n\r\n", 200, true},
      {get + host + "Connection: close\r\n\r\n", 200, false},
      {get + host + "Connection: x, Close\r\n\r\n", 200, false},
      {"GET /a HTTP/1.0\r\n\r\n", 200, false},
      {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true},
      // methods
      {"POST /a HTTP/1.1\r\n" + host + "\r\n", 405, true},
      {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc", 405, false},
      {"DELETE /a HTTP/1.1\r\n" + host + "\r\n", 405, true},
      {"TRACE /a HTTP/1.1\r\n" + host + "\r\n", 405, true},
      {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 405, true},
      {"CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n", 405, true},
      {"FETCH /a HTTP/1.1\r\n" + host + "\r\n", 501, true},
      {"GETS /a HTTP/1.1\r\n" + host + "\r\n", 501, true},
      {"G(T /a HTTP/1.1\r\n" + host + "\r\n", 400, false},
      {"get /a HTTP/1.1\r\n" + host + "\r\n", 400, false},
      // hosts
      {get + "\r\n", 400, false},
      {"GET http://localhost/a HTTP/1.1\r\n\r\n", 400, false},
      {"GET http://localhost/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true},
      {"GET http://elsewhere/a HTTP/1.1\r\n" + host + "\r\n", 200, true},
      {get + host + host + "\r\n", 400, false},
      {"GET /a HTTP/1.0\r\n" + host + host + "\r\n", 400, false},
      {"GET http://localhost/a HTTP/1.1\r\n" + host + host + "\r\n", 400, false},
      {get + "Host:\r\n\r\n", 400, false},
      {get + "Host: :80\r\n\r\n", 400, false},
      {get + "Host: a b\r\n\r\n", 400, false},
      {get + "Host: a,b\r\n\r\n", 200, true},  // RFC 3986 has commas in names
      {get + "Host: a/b\r\n\r\n", 400, false},
      {get + "Host: a?b\r\n\r\n", 400, false},
      {get + "Host: user@a\r\n\r\n", 400, false},
      {get + "Host: a\"\r\n\r\n", 400, false},
      {get + "Host: \xc3\xa4\r\n\r\n", 400, false},
      {get + "Host: a%6Fb\r\n\r\n", 200, true},
      {get + "Host: a%1z\r\n\r\n", 400, false},
      {get + "Host: a:8000\r\n\r\n", 200, true},
      {get + "Host: a:\r\n\r\n", 200, true},
      {get + "Host: a:80x\r\n\r\n", 400, false},
      {get + "Host: a:80:80\r\n\r\n", 400, false},
      {get + "Host: [::1]:80\r\n\r\n", 200, true},
      {get + "Host: [::1]80\r\n\r\n", 400, false},
      {get + "Host: [::1\r\n\r\n", 400, false},
      {get + "Host: []\r\n\r\n", 400, false},
      {get + "Host: [a b]\r\n\r\n", 400, false},
      {"GET /a HTTP/1.0\r\nHost: a b\r\n\r\n", 400, false},
      {"GET http://user@localhost/a HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET http://a:b/a HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET http://[::1/a HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET http://[::1]/a HTTP/1.1\r\n" + host + "\r\n", 200, true},
      {"GET http://?a HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET localhost:80 HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET * HTTP/1.1\r\n" + host + "\r\n", 400, true},
      {"GET : HTTP/1.1\r\n" + host + "\r\n", 400, true},
      // versions
      {"GET /a HTTP/1.2\r\n" + host + "\r\n", 200, true},
      {"GET /a HTTP/1.9\r\n\r\n", 400, false},
      {"GET /a HTTP/2.0\r\n" + host + "\r\n", 505, false},
      {"GET /a HTTP/0.9\r\n\r\n", 505, false},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false},
      {"GET /a HTTP/9.9\r\n\r\n", 505, false},
      {"GET /a HTTP/1\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/2\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/1.10\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/11.1\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/1.x\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/x.1\r\n" + host + "\r\n", 400, false},
      {"GET /a http/1.1\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/1.1 \r\n" + host + "\r\n", 400, false},
      {"GET /a HTTQ/1.1\r\n" + host + "\r\n", 400, false},
      {"GET /a\r\n\r\n", 400, false},
      {"G\r\n\r\n", 400, false},
      // lines
      {"GET  /a HTTP/1.1\r\n" + host + "\r\n", 400, false},
      {"GET /a b HTTP/1.1\r\n" + host + "\r\n", 400, false},
      {"GET /a HTTP/1.1\n" + host + "\r\n\r\n", 400, false},
      {get + "Host : localhost\r\n\r\n", 400, false},
      {get + " Host: localhost\r\n\r\n", 400, false},
      {get + host + "no colon\r\n\r\n", 400, false},
      {get + host + ": empty\r\n\r\n", 400, false},
      {get + host + "X: a\nb\r\n\r\n", 400, false},
      {get + host + "X: a\rb\r\n\r\n", 400, false},
      {get + "Host: a\0b\r\n\r\n"s, 400, false},
      {"\x16\x03\x01\x02", 400, false},
      // empty lines before a request
      {repeated("\r\n", 8) + get + host + "\r\n", 200, true},
      {repeated("\r\n", 9), 400, false},
      // bodies, which are not read
      {get + host + "Content-Length: 0\r\n\r\n", 200, true},
      {get + host + "Content-Length: 5\r\n\r\nGET /", 200, false},
      {get + host + "Content-Length: 999999999999\r\n\r\n", 200, false},
      {get + host + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: r\r\n\r\n", 200, false},
      {get + host + "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 200, false},
      {"POST /a HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", 405, false},
      // bodies whose end two servers might see in two places
      {get + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, false},
      {get + host + "Content-Length: 1, 2\r\n\r\nab", 400, false},
      {get + host + "Content-Length: -1\r\n\r\n", 400, false},
      {get + host + "Content-Length: +1\r\n\r\n", 400, false},
      {get + host + "Content-Length: 0x1\r\n\r\n", 400, false},
      {get + host + "Content-Length:\r\n\r\n", 400, false},
      {get + host + "Content-Length: 99999999999999999999\r\n\r\n", 400, false},
      {get + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: gzip\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: identity\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: xchunked\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chun ked\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: \"chunked\"\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chunked;q=1\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding:\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", 400, false},
      {get + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, false},
      {get + host + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501, false},
      {"GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, false},
      // limits
      {"GET /" + repeated("a", 7900) + " HTTP/1.1\r\n" + host + "\r\n", 404, true},
      {"GET /" + repeated("a", 8200) + " HTTP/1.1\r\n" + host + "\r\n", 414, false},
      {get + host + "X: " + repeated("x", 8100) + "\r\n\r\n", 200, true},
      {get + host + "X: " + repeated("x", 8200) + "\r\n\r\n", 431, false},
      {"G" + repeated("E", 9000), 414, false},
  };
  for (const auto& one : cases) {
    for (const bool in_pieces : {false, true}) {
      CAPTURE(one.request.substr(0, 200));
      CAPTURE(in_pieces);
      WebClient client(server);
      if (in_pieces)
        for (const char c : one.request) client.send(std::string(1, c));
      else
        client.send(one.request);
      const WebAnswer answer = client.answer();
      CHECK(answer.status == one.status);
      CHECK(answer.keeps_alive() == one.kept);
      CHECK(answer["Date"].size() == 29);
      if (answer.status == 405) CHECK(answer["Allow"] == "GET, HEAD");
      if (one.kept)
        CHECK(client.get("/a").body == "a");
      else
        CHECK(client.rest() == "");
    }
  }
}

TEST_CASE("no answer to HEAD has a body") {
  Site site;
  site.write("a", "a");
  const WebServer server(site);
  WebClient client(server);
  for (const std::string target : {"/a", "/", "/missing", "*"}) {
    CAPTURE(target);
    CHECK(client.get(target, "", "HEAD")["Content-Length"] != "0");
  }
  client.send("HEAD /a HTTP/1.1\r\n\r\n");
  CHECK(client.answer(false).status == 400);
  CHECK(client.rest() == "");
}

TEST_CASE("many fields that each are small enough are too much together, in whatever pieces they come") {
  Site site;
  site.write("a", "a");
  const WebServer server(site);
  WebClient client(server);
  client.send("GET /a HTTP/1.1\r\nHost: localhost\r\n");
  for (unsigned i = 0; i < 90; ++i) client.send("X: " + std::string(200, 'x') + "\r\n");
  client.send("\r\n");
  CHECK(client.answer().status == 431);
}

TEST_CASE("a refusal arrives, whatever the client still sends") {
  const Site site;
  const WebServer server(site);
  for (unsigned i = 0; i < 20; ++i) {
    WebClient client(server);
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n");
    for (unsigned piece = 0; piece < 1000; ++piece) client.send(std::string(4000, 'x'));
    CHECK(client.answer().status == 405);
    CHECK(client.rest() == "");
  }
}

TEST_CASE("a request that doesn't come to its end is refused, one that says nothing is closed") {
  Site site;
  site.write("a", "a");
  const WebServer server(site, {"--header-timeout=1s", "--connection-idle-timeout=2s"});
  WebClient silent(server);
  WebClient stuck(server);
  stuck.send("GET /a HTT");
  WebClient empty(server);
  empty.send("\r\n");
  WebClient slow(server);
  CHECK(slow.get("/a").status == 200);  // its time begins again with each request
  CHECK(slow.get("/a").status == 200);
  slow.send("GET /a HTTP/1.1\r\nX: ");
  // It sends a byte as soon as the last one was taken, until it is answered.
  std::atomic<bool> answered = false;
  std::jthread drip([&] {
    try {
      CHECK(eventually([&] {
        slow.send("x");
        return answered.load();
      }));
    } catch (const ClientError&) {  // the answer is checked
    }
  });
  CHECK(slow.answer().status == 408);
  answered = true;
  drip.join();
  CHECK(stuck.answer().status == 408);
  CHECK(stuck.rest() == "");
  CHECK(empty.answer().status == 408);
  CHECK(empty.rest() == "");
  CHECK(silent.rest() == "");
}

TEST_CASE("a client that sends nothing but empty lines is sent away") {
  Site site;
  site.write("a", "a");
  const WebServer server(site, {"--header-timeout=0"});
  WebClient client(server);
  for (unsigned i = 0; i < 3; ++i) CHECK(client.get("/a").status == 200);  // each may have some before it
  client.send(repeated("\r\n", 8));
  CHECK(client.get("/a").status == 200);
  for (unsigned i = 0; i < 9; ++i) client.send("\r\n");
  CHECK(client.answer().status == 400);
  CHECK(client.rest() == "");
}

TEST_CASE("after so many requests a connection is closed, and says so before") {
  Site site;
  site.write("a", "a");
  const WebServer server(site, {"--keep-alive-requests=3"});
  WebClient client(server);
  CHECK(client.get("/a").keeps_alive());
  CHECK(client.get("/missing").keeps_alive());
  CHECK_FALSE(client.get("/a").keeps_alive());
  CHECK(client.rest() == "");
}

TEST_CASE("a document root that is no directory is reported at the start, and at a reload changes nothing") {
  Site site;
  site.write("a", "first");
  site.write("folder/a", "second");
  for (const std::string wrong : {"/does/not/exist", "a"}) {
    const std::string path = wrong.starts_with('/') ? wrong : site / wrong;
    ServerOptions options = web_options();
    options.wait_ready = false;
    ServerProcess server({"--document-root=" + path}, options);
    const auto exit = server.wait_exit();
    REQUIRE(exit.has_value());
    CHECK(*exit == exited(78));
    CHECK(server.standard_error().find("document-root = " + path + " is not a directory") !=
          std::string::npos);
  }
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0755);
  const auto write = [&](const std::string& root) {
    std::ofstream(directory / "conf") << "document-root = " << root << '\n';
  };
  write(site.root());
  ServerProcess server({"--config=" + (directory / "conf")}, web_options());
  CHECK(WebClient(server).get("/a").body == "first");
  write(site / "folder");
  server.signal(SIGHUP);
  CHECK(server.reaches([&](const auto& service) {
    return service.generation == 2 &&
           std::all_of(service.slots.begin(), service.slots.end(), [](const auto& slot) {
             return slot.state == brood::SlotState::empty || slot.generation == 2;
           });
  }));
  CHECK(WebClient(server).get("/a").body == "second");
  write("/does/not/exist");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("document-root = /does/not/exist is not a directory"));
  CHECK(WebClient(server).get("/a").body == "second");
}

TEST_CASE("without openat2() there is no server that might let files out") {
  const Site site;
  ServerOptions options = web_options();
  options.wait_ready = false;
  options.in_process = [] {
    sock_filter program[] = {
        {.code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(seccomp_data, nr)},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = SYS_openat2},
        {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ERRNO | ENOSYS},
        {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW},
    };
    const sock_fprog filter{.len = 4, .filter = program};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
  };
  ServerProcess server({"--document-root=" + site.root()}, options);
  const auto exit = server.wait_exit();
  REQUIRE(exit.has_value());
  CHECK(*exit == exited(78));
  CHECK(server.standard_error().find("openat2") != std::string::npos);
}
