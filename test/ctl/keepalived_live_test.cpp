// SPDX-License-Identifier: MIT
// etc/balancers/keepalived.conf under Debian's keepalived, in a network of its own, where that is installed.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "broodctl.hpp"
#include "forked.hpp"
#include "own_network.hpp"
#include "root.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr const char* program = "/usr/sbin/keepalived";

bool skipped_without_keepalived() {
  if (skipped_without_root("because keepalived does")) return true;
  const bool installed = std::filesystem::exists(program) && std::system("ip link help 2>/dev/null") >= 0 &&
                         std::filesystem::exists("/usr/sbin/ip");
  if (!installed) MESSAGE("skipped: keepalived or iproute2 is not installed");
  return !installed;
}

std::string settings_for(const ServerProcess& server) {
  std::string settings = read_file(std::string(BROOD_SOURCE) + "/etc/balancers/keepalived.conf");
  settings = std::regex_replace(settings, std::regex("/usr/bin/broodctl"), program_path("broodctl"));
  return std::regex_replace(settings, std::regex("--server=brood"), "--server=" + server.scoreboard());
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("keepalived accepts the settings in etc/balancers, and its scripts exit as it expects") {
  if (skipped_without_keepalived()) return;
  const OwnNetwork network;
  if (!network) return;
  if (run("ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up && "
          "ip address add 192.0.2.2/24 dev eth0") != 0) {
    MESSAGE("skipped: an interface eth0 can't be had");
    return;
  }
  ServerProcess server({"--name=web"});
  const TemporaryDirectory there;
  const std::string settings = there / "keepalived.conf", output = there / "output";
  write_file(settings, settings_for(server));
  // Not a word, as that a script can't be found or is not safe.
  CHECK(run(std::string(program) + " -t -f " + settings + " >" + output + " 2>&1") == 0);
  CHECK(read_file(output) == "");

  const pid_t keepalived = forked([&] {
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    // Without the balancer of the kernel, which a test can't have.
    ::execl(program, program, "-n", "-l", "-D", "-P", "-f", settings.c_str(), "-p", (there / "pid").c_str(),
            "-r", (there / "vrrp").c_str(), nullptr);
  });
  const auto says = [&](const std::string& what, long times) {
    return eventually([&] {
      const std::string said = read_file(output);
      const std::regex pattern(what);
      return std::distance(std::sregex_iterator(said.begin(), said.end(), pattern), std::sregex_iterator()) >=
             times;
    });
  };
  CHECK(says("VRRP_Script\\(brood\\) succeeded", 1));
  CHECK(says("\\(web\\) Entering MASTER STATE", 1));
  server.signal(SIGSTOP);  // critical
  CHECK(says("VRRP_Script\\(brood\\) failed \\(exited with status 1\\)", 1));
  CHECK(says("\\(web\\) Entering FAULT STATE", 1));
  server.signal(SIGCONT);
  CHECK(says("VRRP_Script\\(brood\\) succeeded", 2));
  CHECK(says("\\(web\\) Entering MASTER STATE", 2));
  CAPTURE(read_file(output));
  ::kill(keepalived, SIGTERM);
  status_of(keepalived);

  // The check of the balancer: its weight plus 2.
  const std::string all = read_file(settings);
  std::smatch found;
  REQUIRE(std::regex_search(all, found, std::regex("misc_path \"([^\"]+)\"")));
  const std::string check = found[1].str() + " >/dev/null";
  CHECK(run(check) == 102);
  CHECK(ask(server, "pause web").code == 0);
  CHECK(run(check) == 1);
}
