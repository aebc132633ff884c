// SPDX-License-Identifier: MIT
// A real browser looks at a folder that example/httpd serves: pages, a script and pictures over connections
// that it keeps and shares as browsers do.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "web.hpp"

using namespace brood::test;

namespace {

constexpr const char* browser = "/usr/bin/chromium";

// A picture in PNG of so many black pixels a side, with a palette of one color, and stored without
// compression.
std::string png(std::uint32_t side) {
  const auto number = [](std::uint32_t n) {
    return std::string{static_cast<char>(n >> 24U), static_cast<char>(n >> 16U), static_cast<char>(n >> 8U),
                       static_cast<char>(n)};
  };
  const auto crc = [](const std::string& data) {
    std::uint32_t sum = ~0U;
    for (const char c : data) {
      sum ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) sum = sum >> 1U ^ (0xEDB88320U & (0U - (sum & 1U)));
    }
    return ~sum;
  };
  const auto chunk = [&](const std::string& type, const std::string& data) {
    return number(static_cast<std::uint32_t>(data.size())) + type + data + number(crc(type + data));
  };
  const auto stored = [&](const std::string& data) {
    const auto size = static_cast<std::uint16_t>(data.size());
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const char c : data) {
      a = (a + static_cast<unsigned char>(c)) % 65521;
      b = (b + a) % 65521;
    }
    return std::string("\x78\x01\x01") + static_cast<char>(size) + static_cast<char>(size >> 8U) +
           static_cast<char>(~size) + static_cast<char>(~size >> 8U) + data + number(b << 16U | a);
  };
  const std::string row(side + 1, '\0');  // no filter, and a byte a pixel
  std::string rows;
  for (std::uint32_t i = 0; i < side; ++i) rows += row;
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", number(side) + number(side) + std::string("\x08\x03\0\0\0", 5)) +
         chunk("PLTE", std::string(3, '\0')) + chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

// What the browser makes of a page when it has loaded all of it; "" where it doesn't come to that in time.
std::string document_of(const std::string& url, const TemporaryDirectory& home) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  brood::Descriptor output(ends[0]);
  brood::Descriptor input(ends[1]);
  std::vector<std::string> words = {browser,
                                    "--headless",
                                    "--no-sandbox",
                                    "--disable-gpu",
                                    "--disable-dev-shm-usage",
                                    "--no-proxy-server",
                                    "--user-data-dir=" + home.path(),
                                    "--virtual-time-budget=10000",
                                    "--dump-dom",
                                    url};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // it has children
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, browser, &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  REQUIRE(error == 0);
  input.reset();

  std::string document;
  std::array<char, 4096> buffer{};
  pollfd ready{.fd = output.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ready, 1, 120'000) > 0) {
    const ssize_t size = ::read(output.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    document.append(buffer.data(), static_cast<std::size_t>(size));
    if (document.find("</html>") != std::string::npos) break;
  }
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return document;
}

}  // namespace

TEST_CASE("a browser shows a page with its pictures") {
  if (::access(browser, X_OK) != 0) {
    MESSAGE("skipped: " << browser << " is not installed");
    return;
  }
  Site site;
  site.write(
      "folder/index.html",
      "<!DOCTYPE html><html><head><title>Two pictures</title><script src=\"told.js\"></script></head><body "
      "onload=\"tell()\"><img src=\"small.png\"><img src=\"../a%20picture.png\"><p id=\"told\">nothing</p>"
      "</body></html>\n");
  site.write("folder/told.js",
             "function tell() { document.getElementById('told').textContent = "
             "Array.from(document.images, image => image.naturalWidth).join(' and '); }\n");
  site.write("folder/small.png", png(7));
  site.write("a picture.png", png(200));  // too large for one write with its head
  for (const std::string threads : {"1", "4"}) {
    CAPTURE(threads);
    const WebServer server(site, {"--threads-per-child=" + threads});
    const TemporaryDirectory home;
    const std::string page = document_of("http://" + server.address() + "/folder", home);
    CAPTURE(page);
    CAPTURE(server.log());
    CHECK(page.find("<p id=\"told\">7 and 200</p>") != std::string::npos);
    const TemporaryDirectory other;
    const std::string listing = document_of("http://" + server.address() + "/", other);
    CAPTURE(listing);
    CHECK(listing.find("<a href=\"./a%20picture.png\">a picture.png</a>") != std::string::npos);
  }
}
