// SPDX-License-Identifier: MIT
// Settings that cannot be read, because a file system does not answer: the settings file itself, or what the
// system reads to find users and hosts. Only the order fails: the parent goes on.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "broodctl.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A file that whoever opens it waits for, in the mounts of one server alone: the file system on it is one
// that nobody serves.
class HangingFile {
 public:
  explicit HangingFile(std::string path) : path_(std::move(path)), device_(::open("/dev/fuse", O_RDWR)) {}
  bool is_possible() const { return static_cast<bool>(device_); }
  void mount() const {
    const std::string options =
        "fd=" + std::to_string(device_.get()) + ",rootmode=100000,user_id=0,group_id=0";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("hanging", path_.c_str(), "fuse", 0, options.c_str()) != 0)
      ::_exit(99);
  }

 private:
  std::string path_;
  Descriptor device_;  // while it is open, they wait
};

struct Hanging {
  explicit Hanging(const std::string& path = "")
      : file(path.empty() ? empty_file() : path),
        server({"--config=" + settings()}, {.listen = false, .in_process = [this] { file.mount(); }}) {}
  std::string empty_file() const {
    write_file(directory / "hanging", "");
    return directory / "hanging";
  }
  std::string settings() {
    const std::string link = directory / "settings.conf";
    if (!std::filesystem::exists(link)) write("");
    return link;
  }
  void write(const std::string& more) {
    std::filesystem::remove(directory / "settings.conf");
    write_file(directory / "settings.conf",
               "listen = 127.0.0.1:0\nstart-servers = 3\nmin-spare-servers = 3\n" + more);
  }
  void make_file_hang() {
    std::filesystem::remove(directory / "settings.conf");
    std::filesystem::create_symlink(directory / "hanging", directory / "settings.conf");
  }
  bool is_ready() {
    return server.reaches([](const auto& service) { return service.idle == 3; });
  }
  void hang_at_reload() {
    REQUIRE(is_ready());
    make_file_hang();
    server.signal(SIGHUP);
  }
  // A child that is killed is replaced, and connections are served.
  bool goes_on() {
    const pid_t killed = server.children().front();
    ::kill(killed, SIGKILL);
    return server.reaches([&](const auto& service) {
      return service.children_failed > 0 && service.idle == 3;
    }) && server.connect().ask("echo hello") == "hello";
  }

  TemporaryDirectory directory;
  HangingFile file;
  ServerProcess server;
};

bool skipped() {
  if (skipped_without_root("for a file system that hangs")) return true;
  const bool possible = HangingFile("").is_possible();
  if (!possible) MESSAGE("skipped: needs /dev/fuse");
  return !possible;
}

constexpr const char* too_long = "reading the settings took longer than 10s";

void check_that_reload_is_refused(Hanging& it) {
  CHECK(it.goes_on());
  CHECK(it.server.wait_for_log(too_long));
  CHECK(it.server.wait_for_log("reload refused: nothing has changed"));
  CHECK(it.server.service().generation == 1);
  it.write("");
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches(settled_at(2)));
}

}  // namespace

TEST_CASE("a settings file that hangs at SIGHUP is given up after a deadline, and holds up nothing else") {
  if (skipped()) return;
  Hanging it;
  it.hang_at_reload();
  check_that_reload_is_refused(it);
}

TEST_CASE("a user database that hangs at SIGHUP is given up after a deadline, and holds up nothing else") {
  if (skipped()) return;
  Hanging it("/etc/passwd");
  REQUIRE(it.is_ready());
  it.write("listen = unix:" + (it.directory / "socket") + ",owner=nobody\n");
  it.server.signal(SIGHUP);
  check_that_reload_is_refused(it);
}

TEST_CASE(
    "a search for a host that hangs at SIGHUP is given up after a deadline, and holds up nothing else") {
  if (skipped()) return;
  Hanging it("/etc/hosts");
  REQUIRE(it.is_ready());
  it.write("listen = host-that-hangs.example:0\n");
  it.server.signal(SIGHUP);
  check_that_reload_is_refused(it);
}

TEST_CASE("SIGTERM is obeyed while a settings file hangs, and nothing is left") {
  if (skipped()) return;
  Hanging it;
  it.hang_at_reload();
  CHECK(it.goes_on());
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
  CHECK(it.server.count_in_log(too_long) == 0);
}

TEST_CASE("a SIGHUP while a settings file hangs is obeyed when that was given up") {
  if (skipped()) return;
  Hanging it;
  it.hang_at_reload();
  CHECK(it.goes_on());
  it.write("word = mended\n");
  it.server.signal(SIGHUP);
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("word") == "mended");
  CHECK(it.server.count_in_log(too_long) == 1);
}

TEST_CASE("orders are answered when a settings file that hangs was given up") {
  if (skipped()) return;
  Hanging it;
  REQUIRE(it.is_ready());
  const std::string name = it.server.service().name;
  it.make_file_hang();
  BroodctlProcess reload(to(it.server, "reload"));
  REQUIRE(it.server.wait_for_log("asks: reload"));
  CHECK(it.goes_on());
  // It reads no file.
  CHECK(ask(it.server, "scale " + name + " max-clients=7").code == 0);
  CHECK(it.server.service().max_clients == 7);
  const CtlAnswer answer = reload.wait();
  CHECK(answer.code == 75);
  CHECK(answer.says(std::string("reload refused: ") + too_long + "; nothing has changed"));
  const CtlAnswer restart = ask(it.server, "restart " + name);
  CHECK(restart.code == 75);
  CHECK(restart.says("restart refused"));
  CHECK(it.server.connect().ask("echo hello") == "hello");
  CHECK(it.server.service().generation == 1);
}
