// SPDX-License-Identifier: MIT
#include "broodctl.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "eventually.hpp"
#include "process_table.hpp"

namespace brood::test {

BroodctlProcess::BroodctlProcess(const std::string& arguments, const std::string& before)
    : output_("/tmp/broodctl-XXXXXX") {
  const int output = ::mkostemp(output_.data(), O_CLOEXEC);
  REQUIRE(output >= 0);
  const std::string command = "exec " + before + BROOD_PROGRAMS "/broodctl " + arguments;
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(output);
}

bool BroodctlProcess::has_ended() {
  if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

CtlAnswer BroodctlProcess::wait() {
  const bool ended = eventually([this] { return has_ended(); });
  if (!ended) MESSAGE("broodctl does not end");
  return {.code = ended && WIFEXITED(status_) ? WEXITSTATUS(status_) : -1, .text = read_file(output_)};
}

void BroodctlProcess::kill() {
  if (!has_ended()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  ::unlink(output_.c_str());
}

CtlAnswer broodctl(const std::string& arguments, const std::string& before) {
  return BroodctlProcess(arguments, before).wait();
}

}  // namespace brood::test
