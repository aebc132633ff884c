// SPDX-License-Identifier: MIT
// The log of the server and those of services: which line goes where, and how it looks.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "base/file_identity.hpp"
#include "base/log/log_channel.hpp"
#include "base/log/log_target.hpp"
#include "base/text.hpp"

using namespace brood;

namespace {

std::string new_file() {
  std::string path = "/tmp/brood-log-test-XXXXXX";
  const Descriptor made(::mkstemp(path.data()));
  REQUIRE(made);
  return path;
}

struct File {
  std::string path = new_file();
  File() = default;
  ~File() { ::unlink(path.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::string content() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool has(const std::string& part) const { return content().find(part) != std::string::npos; }
  unsigned lines() const {
    const std::string all = content();
    return static_cast<unsigned>(std::count(all.begin(), all.end(), '\n'));
  }
};

LogTarget to(const File& file, LogFormat format = LogFormat::text) {
  return {.name = "server", .to = file.path, .format = format};
}

}  // namespace

TEST_CASE("log: what the parent says about a service is in both logs and the rest in one") {
  const File all, own;
  open_log(to(all));
  ServiceLog service("web");
  service.open(to(own));
  log_info("of the server");
  {
    const LogScope scope(service);
    log_info("of the service");
    log_debug("too little");
  }
  log_info("of the server again");
  CHECK(all.lines() == 3);
  CHECK(own.lines() == 1);
  CHECK(own.has(text("server[", ::getpid(), "] info: of the service\n")));
}

TEST_CASE("log: a service with the log of the server writes no line twice") {
  const File all;
  open_log(to(all));
  ServiceLog service("web");
  service.open(to(all));
  const LogScope scope(service);
  log_info("once");
  CHECK(all.lines() == 1);
  const File next;
  service.open(to(next));
  open_log(to(next));  // a reload gives it to the services first
  log_info("once more");
  CHECK(next.lines() == 1);
}

TEST_CASE("log: a service that can't open its log keeps the one it has") {
  const File all, own;
  open_log(to(all));
  ServiceLog service("web");
  service.open(to(own));
  CHECK_THROWS(service.open({.name = "server", .to = "/no/such/directory/log"}));
  const LogScope scope(service);
  log_info("here");
  CHECK(own.has("here"));
}

TEST_CASE("log: a child writes to the log of its service alone") {
  const File all, own;
  open_log(to(all));
  ServiceLog service("web");
  service.open(to(own, LogFormat::json));
  const LogScope scope(service);
  const pid_t child = ::fork();
  if (child == 0) {
    service.become_log_of_process();
    log_warning("of a child");
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(all.lines() == 0);
  const auto line = nlohmann::json::parse(own.content());
  CHECK(line.at("service") == "web");
  CHECK(line.at("pid") == child);
}

TEST_CASE("log: a line in JSON is an object with the documented members") {
  const File all;
  open_log(to(all, LogFormat::json));
  log_warning("a \"quoted\" word\nand \x1b[31m\xff");
  const std::string written = all.content();
  REQUIRE(all.lines() == 1);
  const auto line = nlohmann::json::parse(written);
  CHECK(line.size() == 5);
  CHECK(line.at("level") == "warning");
  CHECK(line.at("server") == "server");
  CHECK(line.at("pid") == ::getpid());
  CHECK(line.at("message") == "a \"quoted\" word\nand \x1b[31m\xef\xbf\xbd");
  const std::regex rfc_3339("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z");
  CHECK(std::regex_match(line.at("time").get<std::string>(), rfc_3339));
  CHECK(std::all_of(written.begin(), written.end(),
                    [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  ServiceLog service("web");
  const LogScope scope(service);
  log_info("about it");
  CHECK(all.has("\"service\":\"web\",\"pid\""));
}

TEST_CASE("log: all children of a parent get the file that it has opened again") {
  LogChannel channel = LogChannel::make();
  CHECK_FALSE(channel.take());
  const File first, second;
  for (const File* const file : {&first, &second}) {
    const Descriptor opened(::open(file->path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    channel.offer(opened.get());
    for (int i = 0; i < 3; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        const Descriptor taken = channel.take();
        const bool right =
            taken && FileIdentity::of(opened.get()).is_open_as(taken.get()) && taken.get() != opened.get();
        ::_exit(right && (::fcntl(taken.get(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1);
      }
      int status = -1;
      REQUIRE(::waitpid(child, &status, 0) == child);
      CHECK(status == 0);
    }
  }
  channel.only_receive();
  CHECK(channel.take());
  CHECK_FALSE(LogChannel().take());
}
