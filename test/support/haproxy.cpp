// SPDX-License-Identifier: MIT
#include "haproxy.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <vector>

#include "client.hpp"
#include "process_table.hpp"

namespace brood::test {
namespace {

constexpr const char* program = "/usr/sbin/haproxy";

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

bool HaProxy::is_installed() { return ::access(program, X_OK) == 0; }

bool HaProxy::accepts(const std::string& settings) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execl(program, program, "-c", "-q", "-f", settings.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

HaProxy::HaProxy(const std::string& servers, const std::string& more) {
  const int front = front_.socket().get();
  const std::string settings = directory_ / "conf", output = directory_ / "output";
  write_file(settings, "global\n  nbthread 1\n  stats socket unix@" + (directory_ / "stats") +
                           "\ndefaults\n  mode tcp\n  timeout connect 10s\n  timeout client 60s\n"
                           "  timeout server 60s\n  timeout check 10s\nlisten front\n  bind fd@" +
                           std::to_string(front) + "\n  option redispatch\n" + servers + more);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::fcntl(front, F_SETFD, 0);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execl(program, program, "-db", "-f", settings.c_str(), nullptr);
    ::_exit(127);
  }
  REQUIRE(eventually([&] { return ::access((directory_ / "stats").c_str(), F_OK) == 0; }));
}

HaProxy::~HaProxy() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string HaProxy::address() const { return "127.0.0.1:" + std::to_string(front_.port()); }

std::string HaProxy::output() const { return read_file(directory_ / "output"); }

std::map<std::string, std::string> HaProxy::state_of(const std::string& server) const {
  Client client("unix:" + (directory_ / "stats"));
  client.send("show stat\n");
  std::istringstream lines(client.until_end());
  std::string line;
  std::getline(lines, line);
  const auto names = cells_of(line.substr(2));  // "# pxname,svname,…"
  std::map<std::string, std::string> state;
  while (std::getline(lines, line)) {
    const auto cells = cells_of(line);
    if (cells.size() < 2 || cells[1] != server) continue;
    for (std::size_t i = 0; i < cells.size() && i < names.size(); ++i) state[names[i]] = cells[i];
  }
  return state;
}

bool HaProxy::shows(const std::string& server, const std::string& status) const {
  return eventually([&] { return state_of(server)["status"].starts_with(status); });
}

}  // namespace brood::test
