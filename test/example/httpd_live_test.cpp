// SPDX-License-Identifier: MIT
// example/httpd, a request at a time: what is answered with what, byte by byte where it matters.
#include "web.hpp"

using namespace brood::test;

namespace {

std::string repeated(std::size_t number, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < number; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("a missing file on a kept connection, and garbage behind it") {
  const std::string request =
      "GET http://localhost/index.html HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
  const Site site;
  const WebServer server(site);
  WebClient client(server);
  const auto check_not_found = [&] {
    const WebAnswer answer = client.answer();
    CHECK(answer.status == 404);
    CHECK(answer.head.starts_with("HTTP/1.1 404 Not Found\r\nDate: "));
    CHECK(answer["Content-Type"] == "text/plain; charset=utf-8");
    CHECK(answer.body == "The requested file was not found on this server.\n");
    CHECK(answer.keeps_alive());
  };

  SUBCASE("in one piece") {
    client.send(request + "xxxxxxxxxxxx");
    check_not_found();
    const WebAnswer second = client.answer();
    CHECK(second.status == 400);
    CHECK_FALSE(second.keeps_alive());
    CHECK(client.rest() == "");
  }
  SUBCASE("a byte at a time") {
    for (const char c : request + "x") client.send(std::string(1, c));
    check_not_found();
    CHECK(client.answer().status == 400);
    CHECK(client.rest() == "");
  }
  SUBCASE("garbage that might be the beginning of a request is answered when the client has said all") {
    client.send(request + "XXXXXXXXXXXX");
    check_not_found();
    client.finish_sending();
    CHECK(client.answer().status == 400);
    CHECK(client.rest() == "");
  }
}

TEST_CASE("files and folders are given") {
  Site site;
  site.write("hello.txt", "hello\n");
  site.write("HELLO.HTML", "<p>");
  site.write("empty", "");
  site.write("a b%/c&d <e>.txt", "odd");
  site.write("pages/index.html", "<p>pages");
  site.write("none/javascript:alert.txt", "");
  site.link("inside", "hello.txt");
  const WebServer server(site, {"--threads-per-child=4"});
  WebClient client(server);

  const WebAnswer hello = client.get("/hello.txt");
  CHECK(hello.status == 200);
  CHECK(hello.body == "hello\n");
  CHECK(hello["Content-Type"] == "text/plain; charset=utf-8");
  CHECK(hello["Content-Length"] == "6");
  CHECK(hello["Date"].size() == 29);
  CHECK(hello["Last-Modified"].ends_with(" GMT"));
  CHECK(hello["Accept-Ranges"] == "bytes");
  CHECK(hello.keeps_alive());
  CHECK(client.get("/hello.txt?a=b/../..").body == "hello\n");
  CHECK(client.get("//hello.txt").body == "hello\n");
  CHECK(client.get("/%68ello%2Etxt").body == "hello\n");
  CHECK(client.get("http://elsewhere:80/hello.txt").body == "hello\n");
  CHECK(client.get("HTTP://elsewhere/hello.txt").body == "hello\n");
  CHECK(client.get("/inside").body == "hello\n");
  CHECK(client.get("/HELLO.HTML")["Content-Type"] == "text/html; charset=utf-8");
  CHECK(client.get("/empty")["Content-Type"] == "application/octet-stream");
  CHECK(client.get("/empty")["Content-Length"] == "0");
  CHECK(client.get("/pages/").body == "<p>pages");

  const WebAnswer head = client.get("/hello.txt", "", "HEAD");
  CHECK(head.status == 200);
  CHECK(head["Content-Length"] == "6");
  CHECK(head["ETag"] == hello["ETag"]);
  CHECK(client.get("/missing", "", "HEAD")["Content-Length"] == "49");

  const WebAnswer moved = client.get("/a%20b%25");
  CHECK(moved.status == 301);
  CHECK(moved["Location"] == "/a%20b%25/");
  CHECK(client.get("//pages")["Location"] == "/pages/");

  const WebAnswer listing = client.get("/a%20b%25/");
  CHECK(listing.status == 200);
  CHECK(listing["Content-Type"] == "text/html; charset=utf-8");
  CHECK(listing.body.find("<a href=\"./c%26d%20%3Ce%3E.txt\">c&amp;d &lt;e&gt;.txt</a>") !=
        std::string::npos);
  CHECK(client.get("/a%20b%25/c%26d%20%3Ce%3E.txt").body == "odd");
  CHECK(client.get("/none/").body.find("href=\"./javascript%3Aalert.txt\"") != std::string::npos);
  CHECK(client.get("/").body.find("<a href=\"./pages/\">pages/</a>") != std::string::npos);
  CHECK(client.get("http://localhost").status == 200);
  CHECK(client.get("/none/", "", "HEAD").status == 200);
  CHECK(client.get("/hello.txt").body == "hello\n");  // nothing stood behind the head
}

TEST_CASE("there is no way out of the document root") {
  Site site;
  site.write("hello.txt", "hello\n");
  site.write(".hidden", "secret");
  site.write(".git/config", "secret");
  site.write("sub/x.txt", "x");
  site.write("sealed.txt", "secret");
  ::chmod((site / "sealed.txt").c_str(), 0);
  site.write("sealed/x.txt", "secret");
  ::chmod((site / "sealed").c_str(), 0);
  site.link("absolute", site.root() + "/../secret");
  site.link("relative", "../secret");
  site.link("sub/deep", "../../secret");
  site.link("above", "..");
  site.link("passwd", "/etc/passwd");
  site.link("self", "/proc/self/environ");
  site.link("within", site.root() + "/hello.txt");  // absolute: it leaves, wherever it leads
  site.link("circle", "circle");
  REQUIRE(::mkfifo((site / "pipe").c_str(), 0666) == 0);
  const WebServer server(site);

  struct Case {
    std::string target;
    int status;
  };
  const std::vector<Case> cases = {
      {"/../secret", 404},
      {"/sub/../../secret", 404},
      {"/sub/../hello.txt", 404},
      {"/%2e%2e/secret", 404},
      {"/%2E%2E%2Fsecret", 404},
      {"/.%2e/secret", 404},
      {"/sub/..%2f..%2fsecret", 404},
      {"/%252e%252e/secret", 404},
      {"/%252e%252e%252fsecret", 404},
      {"/..%5csecret", 404},
      {"/..\\secret", 404},
      {"/sub\\..\\..\\secret", 404},
      {"/%c0%ae%c0%ae/secret", 404},
      {"/./hello.txt", 404},
      {"/.hidden", 404},
      {"/%2ehidden", 404},
      {"/.git/config", 404},
      {"//../secret", 404},
      {"///etc/passwd", 404},
      {"http://localhost/../secret", 404},
      {"http://localhost/%2e%2e/secret", 404},
      {"/absolute", 404},
      {"/relative", 404},
      {"/sub/deep", 404},
      {"/above/secret", 404},
      {"/above/", 404},
      {"/passwd", 404},
      {"/self", 404},
      {"/within", 404},
      {"/circle", 404},
      {"/pipe", 404},
      {"/pipe/", 404},
      {"/hello.txt/", 404},
      {"/hello.txt/x", 404},
      {"/" + std::string(300, 'n'), 404},
      {"/" + repeated(2500, "d/"), 404},
      {"/sealed.txt", 403},
      {"/sealed/x.txt", 403},
      {"/sealed/", 403},
      {"/hello.txt%00.html", 400},
      {"/%00", 400},
      {"/%", 400},
      {"/%2", 400},
      {"/%zz", 400},
      {"/%1z", 400},
      {"/%-1", 400},
      {"/hello.txt#x", 400},
      {"hello.txt", 400},
      {"ftp://localhost/hello.txt", 400},
      {"http:///hello.txt", 400},
      {"http:/hello.txt", 400},
      {"file:///etc/passwd", 400},
  };
  WebClient client(server);
  for (const auto& one : cases) {
    CAPTURE(one.target);
    const WebAnswer answer = client.get(one.target);
    CHECK(answer.status == one.status);
    CHECK(answer.body.find("secret") == std::string::npos);
    CHECK(answer.body.find("root:") == std::string::npos);
    CHECK(answer.keeps_alive());
  }
  const WebAnswer listing = client.get("/");
  CHECK(listing.status == 200);
  ::chmod((site / "sealed").c_str(), 0755);  // so that it can be removed
  for (const std::string hidden : {"pipe", ".git", ".hidden"}) {
    CAPTURE(hidden);
    CHECK(listing.body.find(hidden) == std::string::npos);
  }
}

TEST_CASE("a range of a file") {
  Site site;
  site.write("digits", "0123456789");
  site.write("empty", "");
  const WebServer server(site);
  WebClient client(server);
  const std::string tag = client.get("/digits")["ETag"];
  const std::string modified = client.get("/digits")["Last-Modified"];

  struct Case {
    std::string fields;
    int status;
    std::string body, content_range;
  };
  const std::vector<Case> cases = {
      {"Range: bytes=0-3", 206, "0123", "bytes 0-3/10"},
      {"Range: Bytes=0-3", 206, "0123", "bytes 0-3/10"},
      {"Range: bytes=9-9", 206, "9", "bytes 9-9/10"},
      {"Range: bytes=7-", 206, "789", "bytes 7-9/10"},
      {"Range: bytes=-2", 206, "89", "bytes 8-9/10"},
      {"Range: bytes=-20", 206, "0123456789", "bytes 0-9/10"},
      {"Range: bytes=5-99999999999", 206, "56789", "bytes 5-9/10"},
      {"Range: bytes=10-", 416, "", "bytes */10"},
      {"Range: bytes=-0", 416, "", "bytes */10"},
      {"Range: bytes=0-1,3-4", 200, "0123456789", ""},
      {"Range: bytes=0-1\r\nRange: bytes=3-4", 200, "0123456789", ""},
      {"Range: bytes=4-3", 200, "0123456789", ""},
      {"Range: bytes=-", 200, "0123456789", ""},
      {"Range: bytes=--1", 200, "0123456789", ""},
      {"Range: bytes=+1-2", 200, "0123456789", ""},
      {"Range: bytes=99999999999999999999-", 200, "0123456789", ""},
      {"Range: lines=0-3", 200, "0123456789", ""},
      {"Range: bytes=0-3\r\nIf-Range: " + tag, 206, "0123", "bytes 0-3/10"},
      {"Range: bytes=0-3\r\nIf-Range: " + modified, 206, "0123", "bytes 0-3/10"},
      {"Range: bytes=0-3\r\nIf-Range: \"other\"", 200, "0123456789", ""},
      {"Range: bytes=0-3\r\nIf-Range: W/" + tag, 200, "0123456789", ""},
      {"Range: bytes=0-3\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT", 200, "0123456789", ""},
  };
  for (const auto& one : cases) {
    CAPTURE(one.fields);
    const WebAnswer answer = client.get("/digits", one.fields + "\r\n");
    CHECK(answer.status == one.status);
    if (one.status != 416) CHECK(answer.body == one.body);
    CHECK(answer["Content-Range"] == one.content_range);
    CHECK(answer["Date"].size() == 29);
  }
  CHECK(client.get("/digits", "Range: bytes=0-3\r\n", "HEAD").status == 200);
  CHECK(client.get("/empty", "Range: bytes=0-\r\n").status == 416);
}

TEST_CASE("conditions") {
  Site site;
  site.write("page.html", "<p>");
  const WebServer server(site);
  WebClient client(server);
  const WebAnswer page = client.get("/page.html");
  const std::string tag = page["ETag"];
  const std::string modified = page["Last-Modified"];
  const std::string past = "Sun, 06 Nov 1994 08:49:37 GMT";

  struct Case {
    std::string fields;
    int status;
  };
  const std::vector<Case> cases = {
      {"If-None-Match: " + tag, 304},
      {"If-None-Match: W/" + tag, 304},
      {"If-None-Match: \"a\", \"b,c\", " + tag, 304},
      {"If-None-Match: \"a\"\r\nIf-None-Match: " + tag, 304},
      {"If-None-Match: *", 304},
      {"If-None-Match: \"a\"", 200},
      {"If-None-Match: garbage", 200},
      {"If-None-Match: \"", 200},
      {"If-None-Match: \"a\"\r\nIf-Modified-Since: " + modified, 200},
      {"If-Modified-Since: " + modified, 304},
      {"If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", 304},
      {"If-Modified-Since: " + past, 200},
      {"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 200},
      {"If-Modified-Since: Sun Nov  6 08:49:37 1994", 200},
      {"If-Modified-Since: Tue Nov  6 08:49:37 2035", 304},
      {"If-Modified-Since: yesterday", 200},
      {"If-Match: " + tag, 200},
      {"If-Match: *", 200},
      {"If-Match: W/" + tag, 412},
      {"If-Match: \"a\"", 412},
      {"If-Unmodified-Since: " + past, 412},
      {"If-Unmodified-Since: " + modified, 200},
      {"If-Match: " + tag + "\r\nIf-Unmodified-Since: " + past, 200},
      {"If-None-Match: " + tag + "\r\nRange: bytes=0-1", 304},
  };
  for (const auto& one : cases) {
    CAPTURE(one.fields);
    const WebAnswer answer = client.get("/page.html", one.fields + "\r\n");
    CHECK(answer.status == one.status);
    if (one.status != 304) continue;
    CHECK_FALSE(answer.has("Content-Length"));
    CHECK(answer["Date"].size() == 29);
    CHECK(answer["ETag"] == tag);
    CHECK(client.get("/page.html").body == "<p>");  // nothing stood between the two
  }
  site.write("page.html", "<p>longer");
  CHECK(client.get("/page.html", "If-None-Match: " + tag + "\r\n").body == "<p>longer");
}
