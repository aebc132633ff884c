// SPDX-License-Identifier: MIT
// The program brood-load on real servers: it counts each answer as what it was.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct Ran {
  int code = -1;
  std::string text;  // of both outputs
  bool says(const std::string& part) const { return text.find(part) != std::string::npos; }
};

Ran brood_load(const std::string& arguments) {
  const std::string command = program_path("brood-load") + " " + arguments + " 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ran ran;
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    ran.text.append(buffer.data(), size);
  const int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

const std::string no_loss = ", 0 wrong, 0 refused, 0 lost\n";

// A listener of this process, which does as the test says with each connection.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    REQUIRE(::bind(socket_.get(), address, size) == 0);
    REQUIRE(::getsockname(socket_.get(), address, &size) == 0);
  }
  void listen() const { REQUIRE(::listen(socket_.get(), 64) == 0); }
  Descriptor accept() const { return Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  std::string port() const { return std::to_string(ntohs(address_.sin_port)); }

 private:
  Descriptor socket_;
  sockaddr_in address_{};
};

}  // namespace

TEST_CASE("brood-load: 1,000 connections that stay repeat one request, and each answer is checked") {
  ServerProcess server({"--start-servers=2", "--max-connections-per-child=1000"}, {.program = "event_echo"});
  const std::string load = server.address() + " --concurrency 1000 --keep-alive --requests 5000 ";
  const Ran right = brood_load(load + "--request 'say it\\n' --expect 'say it'");
  CAPTURE(right.text);
  CHECK(right.code == 0);
  CHECK(right.says(" 5000 right" + no_loss));
  CHECK(right.says("5000 exchanges in "));
  CHECK(right.says("p99 "));
  const Ran wrong = brood_load(load + "--payload this --expect that");
  CAPTURE(wrong.text);
  CHECK(wrong.code == 1);
  CHECK(wrong.says(" 0 right, 5000 wrong, 0 refused, 0 lost\n"));
  // As the stress clients of the literature do: whatever comes is an answer.
  const Ran stress = brood_load(load +
                                "--answer any --request 'GET http://localhost/index.html HTTP/1.1\\r\\n"
                                "Connection: keep-alive\\r\\n\\r\\nxxxxxxxxxxxx'");
  CAPTURE(stress.text);
  CHECK(stress.code == 0);
  CHECK(stress.says(" 5000 right" + no_loss));
  CHECK(server.reaches([](const auto& service) { return service.total.accepted == 3000; }));
}

TEST_CASE("brood-load: --show prints what came back, and no summary") {
  ServerProcess server({}, {.program = "event_echo"});
  CHECK(brood_load(server.address() + " --requests 2 --payload 'good day' --show").text ==
        "good day\ngood day\n");
}

TEST_CASE("brood-load: HTTP answers are shown whole, and checked by status and body") {
  TemporaryDirectory root;
  std::ofstream(root / "page") << "a page\n";
  ServerProcess server({"--document-root=" + root.path()}, {.program = "httpd"});
  const std::string load = server.address() + " --requests 20 --concurrency 4 --keep-alive --http ";
  const Ran shown = brood_load(load + "/page --show");
  CHECK(shown.says("HTTP/1.1 200 OK\r\n"));
  CHECK(shown.says("\r\n\r\na page\n"));
  CHECK(brood_load(load + "/page --expect-status=200 --expect='a page\\n'").says(" 20 right" + no_loss));
  CHECK(brood_load(load + "/page --expect-status=404").says(" 0 right, 20 wrong"));
  CHECK(brood_load(load + "/none --expect-status=404").says(" 20 right" + no_loss));
  const Ran written =
      brood_load(server.address() +
                 " --requests 50 --concurrency 10 --keep-alive --answer http --expect-status 200"
                 " --request 'GET /page HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'");
  CAPTURE(written.text);
  CHECK(written.says(" 50 right" + no_loss));
}

TEST_CASE("brood-load: it tells a refusal, a loss and a silence apart") {
  Listener listener;  // not yet
  CHECK(brood_load(listener.port() + " --requests 3").says(" 0 right, 0 wrong, 3 refused, 0 lost\n"));
  listener.listen();
  std::thread closer([&] {
    for (int i = 0; i < 3; ++i) listener.accept();
  });
  const Ran closed = brood_load(listener.port() + " --requests 3");
  closer.join();
  CAPTURE(closed.text);
  CHECK(closed.code == 1);
  CHECK(closed.says(" 0 right, 0 wrong, 0 refused, 3 lost\n"));
  CHECK(brood_load(listener.port() + " --requests 1 --timeout 0.05").says("1 timed out"));
}

TEST_CASE("brood-load: --seconds ends it, whatever --requests says, and open exchanges are finished") {
  ServerProcess server({}, {.program = "event_echo"});
  const Ran ran = brood_load(server.address() + " --seconds 0.2 --requests 1000000000 --keep-alive");
  CAPTURE(ran.text);
  CHECK(ran.code == 0);
  CHECK(ran.says(no_loss));
}

TEST_CASE("brood-load: --help, --version, and mistakes") {
  CHECK(brood_load("--help").code == 0);
  CHECK(brood_load("--version").says("brood-load "));
  const Ran wrong = brood_load("127.0.0.1:1 --nonsense");
  CHECK(wrong.code == 64);
  CHECK(wrong.text == "brood-load: --nonsense: no such option; see brood-load --help\n");
  CHECK(brood_load("192.0.2.1:80").code == 64);
  CHECK(brood_load("--help >/dev/full").code == 74);
}

TEST_CASE("brood-load: between two requests there is the pause that was asked for, and its end ends it") {
  ServerProcess server({"--start-servers=2"}, {.program = "event_echo"});
  for (const std::string keep : {"", " --keep-alive"}) {
    CAPTURE(keep);
    // Each client asks once, and then waits for longer than the run takes.
    const Ran paused = brood_load(server.address() + " --concurrency 3 --pause 3600 --seconds 0.5" + keep);
    CHECK(paused.code == 0);
    CHECK(paused.says(" 3 right" + no_loss));
    const Ran going_on = brood_load(server.address() + " --requests 5 --pause 0.001" + keep);
    CHECK(going_on.code == 0);
    CHECK(going_on.says(" 5 right" + no_loss));
  }
}
