// SPDX-License-Identifier: MIT
// example/proxy between clients and servers: example/httpd, example/echo, and an origin that the test plays,
// so that it sees what reaches a server.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "loopback_listener.hpp"
#include "web.hpp"

using namespace brood::test;

namespace {

class ProxyServer : public ServerProcess {
 public:
  explicit ProxyServer(std::vector<std::string> arguments = {})
      : ServerProcess(with_children(std::move(arguments)), options()) {}
  // Whatever a test does to it, it never costs a child.
  ~ProxyServer() { CHECK(service().children_failed == 0); }

 private:
  static ServerOptions options() {
    ServerOptions options = web_options();
    options.program = "proxy";
    return options;
  }
  static std::vector<std::string> with_children(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--start-servers=2", "--min-spare-servers=1"});
    return arguments;
  }
};

// One connection from the proxy, as a server has it.
class OriginEnd {
 public:
  explicit OriginEnd(int listener) : socket_(::accept(listener, nullptr, nullptr)) {}
  // What has come, up to and with this text.
  std::string until(const std::string& text) {
    std::string all;
    while (!all.ends_with(text) && wait(socket_.get())) {
      char c = 0;
      if (::recv(socket_.get(), &c, 1, 0) <= 0) break;
      all += c;
    }
    return all;
  }
  std::string head() { return until("\r\n\r\n"); }
  void send(const std::string& text) const {
    CHECK(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  void close() { socket_.reset(); }
  static bool wait(int descriptor) {
    pollfd end{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, 60'000) > 0;
  }

 private:
  brood::Descriptor socket_;
};

class Origin {
 public:
  const std::string& site() const { return site_; }
  OriginEnd accept() const {
    REQUIRE(OriginEnd::wait(listener_.socket().get()));
    return OriginEnd(listener_.socket().get());
  }

 private:
  brood::test::LoopbackListener listener_;
  std::string site_ = "127.0.0.1:" + std::to_string(listener_.port());
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string port_of(const std::string& address) { return address.substr(address.rfind(':') + 1); }

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A client, the proxy, and the origin.
struct Way {
  explicit Way(std::vector<std::string> arguments = {}) : proxy(std::move(arguments)) {}
  // Sends a request for the origin. Returns the connection on which it gets there.
  OriginEnd ask(const std::string& method, const std::string& fields, const std::string& path = "/") {
    client.send(method + " http://" + origin.site() + path + " HTTP/1.1\r\nHost: elsewhere\r\n" + fields +
                "\r\n");
    return origin.accept();
  }
  const Origin origin;
  const ProxyServer proxy;
  WebClient client{proxy};
};

}  // namespace

TEST_CASE("files of a web server come through the proxy") {
  Site site;
  site.write("hello.txt", "hello\n");
  const std::string large(3'000'000, 'x');
  site.write("large", large);
  const WebServer web(site);
  const ProxyServer proxy;
  WebClient client(proxy);
  const std::string base = "http://" + web.address();

  const WebAnswer hello = client.get(base + "/hello.txt");
  CHECK(hello.status == 200);
  CHECK(hello.body == "hello\n");
  CHECK(hello["Via"] == "1.1 proxy");
  CHECK(hello.keeps_alive());
  CHECK(client.get(base + "/hello.txt", "", "HEAD")["Content-Length"] == "6");
  CHECK(client.get(base + "/missing").status == 404);
  CHECK(client.get(base + "/large").body == large);
  CHECK(client.get(base + "/hello.txt", "Connection: close\r\n").body == "hello\n");
  CHECK(client.rest() == "");
}

TEST_CASE("200 requests of 8 clients at once") {
  Site site;
  site.write("hello.txt", "hello\n");
  const WebServer web(site);
  const ProxyServer proxy({"--max-clients=6", "--max-spare-servers=6"});
  std::atomic<unsigned> right = 0;
  std::vector<std::thread> clients;
  for (unsigned i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      for (unsigned request = 0; request < 25; ++request) {
        WebClient client(proxy);
        const WebAnswer answer =
            client.get("http://" + web.address() + "/hello.txt", "Connection: close\r\n");
        if (answer.status == 200 && answer.body == "hello\n" && client.rest().empty()) ++right;
      }
    });
  for (auto& client : clients) client.join();
  CHECK(right == 200);
  CHECK(proxy.reaches([](const auto& service) { return service.total.finished == 200; }));
  CHECK(proxy.service().total.failed == 0);
  CHECK(proxy.service().total.aborted == 0);
}

TEST_CASE("what is only for one connection stays there, and fields are added") {
  Way way({"--via-proxy-name=here", "--add-header=X-Added: by the proxy"});
  OriginEnd end =
      way.ask("GET",
              "X-Kept: 1\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
              "Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nVia: 1.0 before\r\n",
              "/a?b");
  const std::string head = end.head();
  CHECK(head.starts_with("GET /a?b HTTP/1.1\r\n"));
  CHECK(has(head, "\r\nHost: " + way.origin.site() + "\r\n"));
  CHECK(has(head, "\r\nX-Kept: 1\r\n"));
  CHECK(has(head, "\r\nX-Added: by the proxy\r\n"));
  CHECK(has(head, "\r\nVia: 1.0 before\r\n"));
  CHECK(has(head, "\r\nVia: 1.1 here\r\n"));
  CHECK(has(head, "\r\nConnection: close\r\n"));
  for (const std::string gone : {"elsewhere", "X-Hop", "Proxy-Connection", "TE:", "Upgrade", "keep-alive"})
    CHECK_FALSE(has(head, gone));

  end.send(
      "HTTP/1.1 200 Fine\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Kept: 2\r\n"
      "Content-Length: 2\r\n\r\nok");
  const WebAnswer answer = way.client.answer();
  CHECK(answer.head.starts_with("HTTP/1.1 200 Fine\r\n"));
  CHECK(answer.body == "ok");
  CHECK(answer["X-Kept"] == "2");
  CHECK(answer["Via"] == "1.1 here");
  CHECK(answer.keeps_alive());
  CHECK_FALSE(answer.has("X-Hop"));
  CHECK_FALSE(answer.has("Keep-Alive"));
}

TEST_CASE("bodies pass in both directions") {
  const Origin origin;
  const ProxyServer proxy;
  WebClient client(proxy);
  const std::string post = "POST http://" + origin.site() + "/ HTTP/1.1\r\nHost: a\r\n";

  SUBCASE("with a length, and another request behind it") {
    client.send(post + "Content-Length: 5\r\n\r\nhello" + post + "Content-Length: 0\r\n\r\n");
    OriginEnd end = origin.accept();
    CHECK(has(end.head(), "\r\nContent-Length: 5\r\n"));
    CHECK(end.until("hello") == "hello");
    end.send(ok);
    CHECK(client.answer().body == "ok");
    OriginEnd second = origin.accept();
    CHECK(second.head().starts_with("POST / "));
    second.send(ok);
    CHECK(client.answer().body == "ok");
  }
  SUBCASE("in chunks") {
    client.send(
        post +
        "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0010\r\n0123456789abcdef\r\n0\r\nX: 1\r\n\r\n");
    OriginEnd end = origin.accept();
    CHECK(has(end.head(), "\r\nTransfer-Encoding: chunked\r\n"));
    CHECK(end.until("\r\n0\r\n\r\n") == "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
    end.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    const WebAnswer answer = client.answer();
    CHECK(answer["Transfer-Encoding"] == "chunked");
    CHECK(answer.keeps_alive());
    CHECK(client.bytes(15) == "5\r\nhello\r\n0\r\n\r\n");
  }
  SUBCASE("to a client that knows no chunks") {
    client.send("GET http://" + origin.site() + " HTTP/1.0\r\n\r\n");
    OriginEnd end = origin.accept();
    CHECK(end.head().starts_with("GET / HTTP/1.1\r\n"));
    end.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    const WebAnswer answer = client.answer();
    CHECK_FALSE(answer.has("Transfer-Encoding"));
    CHECK_FALSE(answer.keeps_alive());
    CHECK(client.rest() == "hello");
  }
  SUBCASE("until the server closes") {
    client.send("GET http://" + origin.site() + " HTTP/1.1\r\nHost: a\r\n\r\n");
    OriginEnd end = origin.accept();
    end.head();
    end.send("HTTP/1.0 200 OK\r\n\r\nhello");
    end.close();
    CHECK_FALSE(client.answer().keeps_alive());
    CHECK(client.rest() == "hello");
  }
}

TEST_CASE("a client that waits for 100 Continue gets it, or the answer") {
  const Origin origin;
  const ProxyServer proxy;
  WebClient client(proxy);
  client.send("PUT http://" + origin.site() +
              "/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  OriginEnd end = origin.accept();
  CHECK(has(end.head(), "\r\nExpect: 100-continue\r\n"));
  SUBCASE("it gets it") {
    end.send("HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(client.answer().status == 100);
    client.send("hello");
    CHECK(end.until("hello") == "hello");
    end.send(ok);
    const WebAnswer answer = client.answer();
    CHECK(answer.body == "ok");
    CHECK(answer.keeps_alive());
  }
  SUBCASE("the server answers without the body") {
    end.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    const WebAnswer answer = client.answer();
    CHECK(answer.status == 417);
    CHECK_FALSE(answer.keeps_alive());
    CHECK(client.rest() == "");
  }
  SUBCASE("the client does not wait") {
    client.send("hello");
    CHECK(end.until("hello") == "hello");
    end.send(ok);
    CHECK(client.answer().body == "ok");
  }
}

TEST_CASE("CONNECT passes on both directions, each to its end") {
  const ServerProcess echo({}, {.program = "echo"});
  const ProxyServer proxy({"--connect-port=" + port_of(echo.address())});
  WebClient client(proxy);
  client.send("CONNECT " + echo.address() + " HTTP/1.1\r\nHost: " + echo.address() + "\r\n\r\nearly");
  CHECK(client.answer(false).status == 200);
  const std::string first = client.bytes(1);
  CHECK(std::isdigit(static_cast<unsigned char>(first.front())) != 0);  // of its process id
  client.finish_sending();
  CHECK(client.rest().ends_with(": early"));
  CHECK(proxy.reaches([](const auto& service) { return service.total.bytes_written > 0; }));

  WebClient refused(proxy);
  refused.send("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(refused.answer().status == 403);
  CHECK(refused.rest() == "");
}

TEST_CASE("requests through another proxy") {
  const Origin origin;
  const ServerProcess echo({}, {.program = "echo"});
  const ProxyServer next({"--via-proxy-name=next", "--connect-port=" + port_of(echo.address())});
  const std::string ports = "--connect-port=" + port_of(echo.address());
  const ProxyServer proxy({"--upstream=none,for=127.0.0.1", "--upstream=" + next.address(), ports});
  const auto via_of = [&](const std::string& host) {
    WebClient client(proxy);
    client.send("GET http://" + host + ":" + port_of(origin.site()) + "/x HTTP/1.1\r\nHost: a\r\n\r\n");
    OriginEnd end = origin.accept();
    const std::string head = end.head();
    CHECK(head.starts_with("GET /x HTTP/1.1\r\n"));
    end.send(ok);
    CHECK(client.answer().body == "ok");
    return std::pair(has(head, "Via: 1.1 proxy\r\n"), has(head, "Via: 1.1 next\r\n"));
  };
  CHECK(via_of("127.0.0.1") == std::pair(true, false));
  CHECK(via_of("localhost") == std::pair(true, true));

  const std::string connect = " HTTP/1.1\r\nHost: a\r\n\r\n";
  WebClient tunnel(proxy);
  tunnel.send("CONNECT localhost:" + port_of(echo.address()) + connect + "x");
  CHECK(tunnel.answer(false).status == 200);
  tunnel.finish_sending();
  CHECK(tunnel.rest().ends_with(": x"));
}

TEST_CASE("who is served") {
  const Origin origin;
  const auto status = [&](std::vector<std::string> arguments, const std::string& fields = "") {
    const ProxyServer proxy(std::move(arguments));
    WebClient client(proxy);
    client.send("GET http://proxy.stats/ HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return client.answer().status;
  };
  CHECK(status({"--deny=127.0.0.0/8"}) == 403);
  CHECK(status({"--deny=127.0.0.1", "--allow=127.0.0.1"}) == 403);
  CHECK(status({"--allow=128.0.0.0/8", "--allow=::1"}) == 403);
  CHECK(status({"--allow=10.0.0.0/8", "--allow=127.0.0.1", "--deny=127.0.0.128/25"}) == 200);

  const std::string user = "--basic-auth=Aladdin:open sesame";  // the example of RFC 7617
  CHECK(status({user}) == 407);
  CHECK(status({user}, "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZX==\r\n") == 407);
  CHECK(status({user}, "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n") == 200);
}

TEST_CASE("credentials for the proxy are asked for, and not passed on") {
  Way way({"--basic-auth=Aladdin:open sesame"});
  WebClient stranger(way.proxy);
  CHECK(stranger.get("http://" + way.origin.site() + "/")["Proxy-Authenticate"] == "Basic realm=\"proxy\"");
  OriginEnd end = way.ask("GET", "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
  CHECK_FALSE(has(end.head(), "Authorization"));
  end.send(ok);
  CHECK(way.client.answer().body == "ok");
}

TEST_CASE("only some fields are passed on") {
  Way way({"--anonymous=accept", "--anonymous=Cookie"});
  OriginEnd end = way.ask("POST",
                          "Accept: b\r\nUser-Agent: me\r\nCookie: c\r\nReferer: d\r\n"
                          "Content-Type: e\r\nContent-Length: 2\r\n");
  way.client.send("hi");
  const std::string head = end.head();
  for (const std::string kept :
       {"Accept: b", "Cookie: c", "Content-Type: e", "Content-Length: 2", "Host: 127"})
    CHECK(has(head, "\r\n" + kept));
  CHECK_FALSE(has(head, "User-Agent"));
  CHECK_FALSE(has(head, "Referer"));
  CHECK(end.until("hi") == "hi");
  end.send(ok);
  CHECK(way.client.answer().body == "ok");
}

TEST_CASE("hosts are refused by a filter") {
  Site site;  // for its files, which the server's user may read
  site.write("filter", "# a comment\n\n^127\\.0\\.0\\.1$\n(^|\\.)bad\\.(example|test)$\n");
  site.write("wrong", "(\n");
  const Origin origin;
  const auto status = [&](const std::string& host, std::vector<std::string> arguments = {}) {
    arguments.push_back("--filter=" + site / "filter");
    const ProxyServer proxy(std::move(arguments));
    WebClient client(proxy);
    client.send("GET http://" + host + ":1/ HTTP/1.1\r\nHost: a\r\n\r\n");
    return client.answer().status;
  };
  CHECK(status("127.0.0.1") == 403);
  CHECK(status("www.BAD.example") == 403);
  CHECK(status("localhost") == 502);  // it is asked, and nobody listens there
  CHECK(status("localhost", {"--filter-default-deny"}) == 403);
  CHECK(status("127.0.0.1", {"--filter-default-deny"}) == 502);

  ServerProcess wrong({"--filter=" + site / "wrong"}, {.program = "proxy", .wait_ready = false});
  CHECK(wrong.wait_exit() == exited(78));
}

TEST_CASE("what goes wrong with the server is a page for the client") {
  const Origin origin;
  Site site;
  site.write("page", "<p>{errno}/{cause}/{detail}");
  const ProxyServer proxy({"--default-error-file=" + site / "page", "--timeout=500ms"});
  WebClient client(proxy);
  const std::string get = "GET http://" + origin.site() + "/ HTTP/1.1\r\nHost: a\r\n\r\n";

  SUBCASE("nobody listens") {
    const WebAnswer answer = client.get("http://127.0.0.1:1/");
    CHECK(answer.status == 502);
    CHECK(answer.body == "<p>502/Bad Gateway/no connection to 127.0.0.1:1: Connection refused");
  }
  SUBCASE("there is no such host") {
    const WebAnswer answer = client.get("http://nowhere.invalid/");
    CHECK(answer.status == 502);
    CHECK(has(answer.body, "the host nowhere.invalid was not found"));
  }
  SUBCASE("it closes the connection") {
    client.send(get);
    origin.accept().head();
    CHECK(client.answer().status == 502);
  }
  SUBCASE("its answer is wrong") {
    for (const std::string wrong :
         {"nonsense\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
      WebClient one(proxy);
      one.send(get);
      OriginEnd end = origin.accept();
      end.head();
      end.send(wrong);
      CHECK(one.answer().status == 502);
    }
  }
  SUBCASE("it says nothing") {
    client.send(get);
    OriginEnd end = origin.accept();
    end.head();
    CHECK(client.answer().status == 504);
  }
  SUBCASE("it ends within its answer: the client sees that") {
    client.send(get);
    OriginEnd end = origin.accept();
    end.head();
    end.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    end.close();
    CHECK_THROWS_AS(client.answer(), ClientError);
  }
}

TEST_CASE("requests that can be read in two ways, or not at all, go nowhere") {
  const ProxyServer proxy;
  const std::string get = "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n";
  const auto status = [&](const std::string& request) {
    WebClient client(proxy);
    client.send(request);
    const WebAnswer answer = client.answer();
    CHECK_FALSE(answer.keeps_alive());
    CHECK(client.rest() == "");
    return answer.status;
  };
  CHECK(status(get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status(get + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(status(get + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n") == 400);
  CHECK(status(get + "Content-Length: 5, 6\r\n\r\n") == 400);
  CHECK(status(get + "Content-Length: +5\r\n\r\n") == 400);
  CHECK(status(get + "Transfer-Encoding: gzip\r\n\r\n") == 501);
  CHECK(status(get + "Transfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(status(get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n") == 400);
  CHECK(status(get + "Name : value\r\n\r\n") == 400);
  CHECK(status(get + "Name: a\rb\r\n\r\n") == 400);
  CHECK(status(get + "Host: b\r\n\r\n") == 400);
  CHECK(status("GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n") == 400);
  CHECK(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status("GET http://user@127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status("GET http://127.0.0.1:70000/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status("CONNECT 127.0.0.1 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status("GET http://127.0.0.1:1/ HTTP/2.0\r\nHost: a\r\n\r\n") == 400);
  CHECK(status(get + "Name: " + std::string(40'000, 'x') + "\r\n\r\n") == 431);
}

TEST_CASE("a chunk that is wrong is not passed on") {
  const Origin origin;
  const ProxyServer proxy;
  WebClient client(proxy);
  client.send("POST http://" + origin.site() + "/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  SUBCASE("its length") { client.send("3x\r\nabc\r\n0\r\n\r\n"); }
  SUBCASE("its end") { client.send("3\r\nabcd\r\n0\r\n\r\n"); }
  OriginEnd end = origin.accept();
  end.head();
  CHECK(client.answer().status == 400);
  CHECK_FALSE(has(end.until("\r\n0\r\n\r\n"), "\r\n0\r\n\r\n"));
}

TEST_CASE("a page shows the figures, if the scoreboard can be read") {
  const ProxyServer proxy;
  WebClient client(proxy);
  const std::string page = client.get("http://proxy.stats/").body;
  CHECK(has(page, "<caption>"));

  ServerOptions options = web_options();
  options.program = "proxy";
  const ServerProcess own({"--stat-host=figures.here", "--stat-scoreboard=" + proxy.scoreboard()}, options);
  WebClient reader(own);
  CHECK(has(reader.get("http://figures.here/").body, "<tr><td>connections<td>1\n"));
}
