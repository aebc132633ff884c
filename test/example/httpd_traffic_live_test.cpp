// SPDX-License-Identifier: MIT
// example/httpd with many requests at once: in a row, slow, large, random, and while its children are
// replaced.
#include <algorithm>
#include <csignal>
#include <random>
#include <thread>

#include "web.hpp"

using namespace brood::test;

namespace {

const std::string get_small = "GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string large_content() {
  std::string content;
  content.reserve(20 << 20);
  for (std::uint32_t i = 0; content.size() < (20U << 20U); ++i) content += std::to_string(i) + ',';
  return content;
}

unsigned open_files(pid_t pid) {
  const std::filesystem::directory_iterator folder("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<unsigned>(std::distance(begin(folder), end(folder)));
}

// Each test runs with one thread in a child, and with four.
std::vector<std::string> thread_settings() {
  std::string threads;
  SUBCASE("with one thread a child") { threads = "1"; }
  SUBCASE("with four threads a child") { threads = "4"; }
  return {"--threads-per-child=" + threads};
}

}  // namespace

TEST_CASE("pipelined requests are answered in order") {
  const auto arguments = thread_settings();
  Site site;
  std::string requests;
  for (unsigned i = 0; i < 300; ++i) {
    const std::string name = std::to_string(i);
    if (i % 7 != 0) site.write(name, "content " + name);
    requests += "GET /" + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  const WebServer server(site, arguments);
  WebClient client(server);
  client.send(requests);
  client.finish_sending();
  for (unsigned i = 0; i < 300; ++i) {
    const WebAnswer answer = client.answer();
    CHECK(answer.status == (i % 7 == 0 ? 404 : 200));
    if (i % 7 != 0) CHECK(answer.body == "content " + std::to_string(i));
  }
  CHECK(client.rest() == "");
}

TEST_CASE("a client that pipelines and doesn't read makes it open one file, not hundreds") {
  auto arguments = thread_settings();
  Site site;
  const std::string content = large_content();
  site.write("large", content);
  site.write("small", "small");
  arguments.insert(arguments.end(), {"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=1"});
  WebServer server(site, arguments);
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 1; }));
  const pid_t child = server.children().at(0);
  CHECK(WebClient(server).get("/small").body == "small");
  REQUIRE(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  const unsigned before = open_files(child);

  WebClient greedy(server);
  std::string requests;
  for (unsigned i = 0; i < 100; ++i) requests += "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
  greedy.send(requests);
  REQUIRE(greedy.bytes(100).size() == 100);  // it is at work
  for (unsigned i = 0; i < 50; ++i) {        // others are served
    CHECK(WebClient(server).get("/small").body == "small");
  }
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 1; }));
  CHECK(server.service().slots.at(0).note == "GET /large");
  CHECK(open_files(child) <= before + 2);  // its socket and one file
}

TEST_CASE("a large file arrives whole at a slow reader, and others are served in that time") {
  const auto arguments = thread_settings();
  Site site;
  const std::string content = large_content();
  site.write("large", content);
  site.write("small", "small");
  const WebServer server(site, arguments);
  WebClient slow(server);
  slow.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n" + get_small);
  WebClient other(server);
  for (unsigned i = 0; i < 50; ++i) CHECK(other.get("/small").body == "small");
  const WebAnswer large = slow.answer();
  CHECK(large.status == 200);
  CHECK((large.body == content));
  CHECK(slow.answer().body == "small");
  const WebAnswer part = slow.get("/large", "Range: bytes=1000000-5999999\r\n");
  CHECK(part.status == 206);
  CHECK((part.body == content.substr(1'000'000, 5'000'000)));
}

TEST_CASE("a client that closes in the middle of a large file costs nothing") {
  Site site;
  site.write("large", large_content());
  site.write("small", "small");
  WebServer server(site);
  for (unsigned i = 0; i < 10; ++i) {
    Client client(server.address());
    client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(!client.receive_some().empty());
    if (i % 2 == 0) client.abandon();
  }
  CHECK(server.reaches([](const auto& service) { return service.open_connections == 0; }));
  CHECK(WebClient(server).get("/small").body == "small");
}

TEST_CASE("replacing the children under keep-alive traffic loses nothing, and is announced" *
          doctest::test_suite("slow")) {
  const auto arguments = thread_settings();
  Site site;
  site.write("small", "small");
  WebServer server(site, arguments);
  std::atomic<bool> stopping = false;
  std::atomic<unsigned> answered = 0, announced = 0, lost = 0;
  const auto live = [&] {
    while (!stopping) {
      try {
        WebClient client(server);
        while (!stopping) {
          const WebAnswer answer = client.get("/small");
          if (answer.status != 200 || answer.body != "small") throw std::runtime_error("wrong answer");
          ++answered;
          if (answer.keeps_alive()) continue;
          ++announced;
          if (!client.rest().empty()) throw std::runtime_error("more than an answer");
          break;
        }
      } catch (const std::exception&) {
        ++lost;
      }
    }
  };
  {
    std::vector<std::jthread> clients;
    for (unsigned i = 0; i < 8; ++i) clients.emplace_back(live);
    for (unsigned generation = 2; generation < 6; ++generation) {
      const unsigned before = answered;
      CHECK(eventually([&] { return answered > before + 100; }));
      server.signal(SIGHUP);
      CHECK(server.reaches([&](const auto& service) {
        return service.generation == generation && std::ranges::all_of(service.slots, [&](const auto& slot) {
                 return slot.state == brood::SlotState::empty || slot.generation == generation;
               });
      }));
    }
    stopping = true;
  }
  CHECK(lost == 0);
  CHECK(announced >= 8);
}

TEST_CASE("whatever is sent, no child dies of it") {
  const auto arguments = thread_settings();
  Site site;
  site.write("small", "small");
  WebServer server(site, arguments);
  const std::vector<std::string> seeds = {
      get_small,
      "GET http://localhost/small?x=%41 HTTP/1.1\r\nConnection: keep-alive\r\n\r\n" + get_small,
      "HEAD /small HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-2,4-\r\nIf-Range: \"x\"\r\n\r\n",
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;a=\"b\"\r\nabcd\r\n0\r\nX: "
      "y\r\n\r\n",
      "GET /small HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/\"a\", \"b\"\r\nIf-Modified-Since: Sun, 06 Nov "
      "1994 "
      "08:49:37 GMT\r\nIf-Match: *\r\n folded\r\nContent-Length: 4\r\n\r\nabcd" +
          get_small,
  };
  const std::vector<std::string> spices = {"\r\n",
                                           "\n",
                                           "\r",
                                           "\r\n\r\n",
                                           std::string(1, '\0'),
                                           "%00",
                                           "%2e%2e/",
                                           "\"",
                                           ",",
                                           " ",
                                           ":",
                                           "0\r\n\r\n",
                                           "W/",
                                           "-",
                                           "*",
                                           "\xff",
                                           "bytes=",
                                           "18446744073709551616",
                                           std::string(9000, 'a')};
  std::mt19937 random(20'240'229);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (unsigned round = 0; round < 3000; ++round) {
    std::string request = seeds[below(seeds.size())];
    for (std::size_t change = below(4) + 1; change > 0; --change) {
      const std::size_t at = below(request.size());
      switch (below(5)) {
        case 0:
          request[at] = static_cast<char>(below(256));
          break;
        case 1:
          request.erase(at, below(20) + 1);
          break;
        case 2:
          request.insert(at, spices[below(spices.size())]);
          break;
        case 3:
          request.insert(at, request.substr(below(request.size()), below(40)));
          break;
        default:
          request.resize(at + 1);
      }
      if (request.empty()) request = "G";
    }
    CAPTURE(round);
    Client client(server.address());
    try {
      const std::size_t half = below(request.size());
      client.send(request.substr(0, half));
      client.send(request.substr(half));
      client.finish_sending();
    } catch (const ClientError&) {
      continue;  // it was refused before it was all there
    }
    const Ending ending = client.ending();
    const bool ended = ending == Ending::closed || ending == Ending::reset;
    CHECK(ended);
  }
  CHECK(WebClient(server).get("/small").body == "small");
  CHECK(server.service().children_failed == 0);
  CHECK(server.service().total.aborted == 0);
}
