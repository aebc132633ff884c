// SPDX-License-Identifier: MIT
#include "child/access_log.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace brood;
using namespace std::chrono_literals;

namespace {

const auto noon = std::chrono::system_clock::time_point(1'800'000'000'123ms);

sockaddr_storage peer_at(std::uint16_t port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  return storage;
}

Ended one_end() {
  return {.peer = Address(peer_at(4711)),
          .listener = "127.0.0.1:8000",
          .note = "GET /",
          .waited = 4ms,
          .duration = 123'456us,
          .bytes_read = 12,
          .bytes_written = 34,
          .outcome = Outcome::peer_gone};
}

struct Place {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("brood-access-" + std::to_string(::getpid()));
  Shared<std::uint32_t> epoch = 0;

  ~Place() { std::filesystem::remove(path); }
  std::string content() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

std::ptrdiff_t lines_in(const std::string& content) {
  return std::count(content.begin(), content.end(), '\n');
}

}  // namespace

TEST_CASE("a line of the access log has all that is known of a connection, as keys") {
  CHECK(access_line(one_end(), AccessLogFormat::keys, "echo", 17, noon) ==
        "time=2027-01-15T08:00:00.123Z service=echo pid=17 peer=127.0.0.1:4711 listener=127.0.0.1:8000 "
        "note=\"GET /\" waited_seconds=0.004 duration_seconds=0.123456 read_bytes=12 written_bytes=34 "
        "outcome=peer-gone\n");
  CHECK(access_line({}, AccessLogFormat::keys, "echo", 17, noon) ==
        "time=2027-01-15T08:00:00.123Z service=echo pid=17 peer=trigger listener= note=\"\" waited_seconds=- "
        "duration_seconds=0.000000 read_bytes=0 written_bytes=0 outcome=served\n");
}

TEST_CASE("a line of the access log is a JSON object") {
  const auto line = nlohmann::json::parse(access_line(one_end(), AccessLogFormat::json, "echo", 17, noon));
  CHECK(line == nlohmann::json{{"time", "2027-01-15T08:00:00.123Z"},
                               {"service", "echo"},
                               {"pid", 17},
                               {"peer", "127.0.0.1:4711"},
                               {"listener", "127.0.0.1:8000"},
                               {"note", "GET /"},
                               {"waited_seconds", 0.004},
                               {"duration_seconds", 0.123456},
                               {"read_bytes", 12},
                               {"written_bytes", 34},
                               {"outcome", "peer-gone"}});
  const auto empty = nlohmann::json::parse(access_line({}, AccessLogFormat::json, "echo", 17, noon));
  CHECK(empty["waited_seconds"].is_null());
}

TEST_CASE("a note can't forge a line or a key of the access log") {
  Ended ended = one_end();
  ended.note = "\" outcome=served\n\\\xff";
  const std::string keys = access_line(ended, AccessLogFormat::keys, "echo", 17, noon);
  CHECK(lines_in(keys) == 1);
  CHECK(keys.find("note=\"\\\" outcome=served\\x0a") != std::string::npos);
  const std::string json = access_line(ended, AccessLogFormat::json, "echo", 17, noon);
  CHECK(lines_in(json) == 1);
  CHECK(nlohmann::json::parse(json)["outcome"] == "peer-gone");
}

TEST_CASE("the access log is opened again when the log epoch has changed") {
  Place place;
  AccessLog log({.path = place.path}, static_cast<uid_t>(-1), place.epoch, "echo");
  log.write(one_end());
  const auto rotated = place.path.string() + ".1";
  std::filesystem::rename(place.path, rotated);
  log.write(one_end());
  CHECK(!std::filesystem::exists(place.path));
  place.epoch = 1;
  log.write(one_end());
  CHECK(lines_in(place.content()) == 1);
  std::filesystem::remove(rotated);
}

TEST_CASE("an access log that can't be opened, or takes no lines, holds up nobody") {
  Place place;
  AccessLog none({.path = "/nowhere/at/all"}, static_cast<uid_t>(-1), place.epoch, "echo");
  none.write(one_end());

  REQUIRE(::mkfifo(place.path.c_str(), 0600) == 0);
  const Descriptor reader(::open(place.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  AccessLog log({.path = place.path}, static_cast<uid_t>(-1), place.epoch, "echo");
  for (int i = 0; i < 2000; ++i) log.write(one_end());  // more than a pipe holds
  std::string taken;
  std::array<char, 4096> buffer{};
  const auto read_all = [&] {
    for (ssize_t size = 0; (size = ::read(reader.get(), buffer.data(), buffer.size())) > 0;)
      taken.append(buffer.data(), static_cast<std::size_t>(size));
  };
  read_all();
  const auto before = lines_in(taken);
  CHECK(before > 100);
  CHECK(before < 2000);
  log.write(one_end());
  read_all();
  // One line may be cut, and none is mixed with another.
  unsigned whole = 0, cut = 0;
  std::istringstream lines(taken);
  for (std::string line; std::getline(lines, line);) {
    CHECK(line.rfind("time=2") == 0);
    ++(line.ends_with("outcome=peer-gone") ? whole : cut);
  }
  CHECK(whole >= static_cast<unsigned>(before));
  CHECK(cut <= 1);
}
