// SPDX-License-Identifier: MIT
// The directory that comes with brood, as it stands: four services, of which each is run in another way.
#include <algorithm>
#include <cstdlib>

#include "brood_directory.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

// The tree's etc/brood, beside its examples and what this build made: whatever build it is.
class Tree {
 public:
  Tree() {
    const fs::path root = directory_.path();
    fs::create_directories(root / "etc");
    fs::create_directories(root / "build");
    fs::copy(BROOD_SOURCE "/etc/brood", root / "etc/brood", fs::copy_options::recursive);
    fs::create_directory_symlink(BROOD_SOURCE "/example", root / "example");
    fs::create_directory_symlink(BROOD_PROGRAMS, root / "build/release");
  }
  std::string path() const { return directory_ / "etc/brood"; }

 private:
  TemporaryDirectory directory_;
};

const std::vector<std::string> services = {"echo", "greeter", "python", "shell"};

std::vector<std::string> on_free_ports(const Tree& tree) {
  std::vector<std::string> settings = {"--config-directory=" + tree.path()};
  for (const auto& service : services) settings.push_back("--" + service + ".listen=127.0.0.1:0");
  return settings;
}

bool has_python() {
  return std::system("command -v python3 >/dev/null") == 0;  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

TEST_CASE("each of the four answers, and none has a child before that") {
  const Tree tree;
  ServerProcess server(on_free_ports(tree), brood_options());
  CHECK(server.count_in_log("is left out") == 0);
  REQUIRE(server.addresses().size() == services.size());
  CHECK(find_service(server, "echo")->children() == 0);
  CHECK(find_service(server, "shell")->children() == 0);
  CHECK(Client(server.addresses()[0]).ask("hello") == "hello");
  CHECK(Client(server.addresses()[1]).ask("Ann").find("Welcome, dear, Ann") != std::string::npos);
  if (has_python()) {
    CHECK(Client(server.addresses()[2]).ask("hello") == "hello");
    CHECK(std::stol(Client(server.addresses()[2]).ask("pid")) > 0);
  }
  CHECK(Client(server.addresses()[3]).ask("who") == "127.0.0.1");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("reloaded"));
  CHECK(
      eventually([&] { return Client(server.addresses()[1]).ask("Bob").find("Bob") != std::string::npos; }));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("programs are found from wherever it is started, and by a relative path of the directory") {
  const Tree tree;
  ServerOptions options = brood_options();
  const std::string parent = fs::path(tree.path()).parent_path();
  options.in_process = [parent] {
    if (::chdir(parent.c_str()) != 0) ::_exit(126);
  };
  auto settings = on_free_ports(tree);
  settings.front() = "--config-directory=brood";
  const ServerProcess server(settings, options);
  CHECK(server.count_in_log("is left out") == 0);
  CHECK(Client(server.addresses().at(1)).ask("Ann").find("Ann") != std::string::npos);
}

TEST_CASE("a program that dies is replaced, and the others don't notice") {
  const Tree tree;
  const ServerProcess server(on_free_ports(tree), brood_options());
  const auto before = pids_of(server, "greeter");
  REQUIRE(before.size() == 2);
  REQUIRE(::kill(before.front(), SIGKILL) == 0);
  CHECK(eventually([&] {
    const auto now = pids_of(server, "greeter");
    return !now.empty() && std::ranges::find(now, before.front()) == now.end();
  }));
  CHECK(answers(server.addresses().at(0)));
}
