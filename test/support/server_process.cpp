// SPDX-License-Identifier: MIT
#include "server_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "process_table.hpp"

namespace brood::test {
namespace {

// The message of the first log line that begins with "ready: ".
std::string find_ready(const std::string& log) {
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (const auto at = line.find(" info: ready: "); at != std::string::npos && !lines.eof())
      return line.substr(at + std::strlen(" info: "));
  return "";
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto start = text.find(before);
  if (start == std::string::npos) return "";
  const auto from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "brood-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string to_string(const Exit& exit) {
  return exit.signal != 0 ? "signal " + std::to_string(exit.signal)
                          : "exit code " + std::to_string(exit.code);
}

std::string program_path(const std::string& program) {
  return program.starts_with('/') ? program : BROOD_PROGRAMS "/" + program;
}
std::string example_path(const std::string& example) { return BROOD_EXAMPLES "/" + example; }

ServerProcess::ServerProcess(std::vector<std::string> arguments, ServerOptions options)
    : tester_(::getpid()), heed_sanitizers_(options.heed_sanitizers) {
  std::vector<std::string> all = {options.program};
  if (options.listen) all.emplace_back("--listen=127.0.0.1:0");
  if (options.allow_root) all.emplace_back("--allow-root=yes");
  if (options.runtime_directory) all.push_back("--runtime-directory=" + directory_.path());
  if (options.log) all.push_back("--log=" + log_path());
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> words;
  for (auto& word : all) words.push_back(word.data());
  words.push_back(nullptr);

  const std::string path = program_path(options.program);
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Out of the way of descriptors that a test hands on.
  const Descriptor program(::fcntl(opened.get(), F_DUPFD_CLOEXEC, 100));
  if (!program) throw std::system_error(errno, std::generic_category(), path);
  if (options.user != static_cast<uid_t>(-1) &&
      ::chown(directory_.path().c_str(), options.user, options.user) != 0)
    throw std::system_error(errno, std::generic_category(), "chown");

  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become_program(program.get(), words, options);
  ::setpgid(pid_, pid_);  // here too: whoever comes first
  if (!options.wait_ready) return;
  try {
    wait_ready();
  } catch (...) {
    ::kill(-pid_, SIGKILL);
    throw;
  }
}

void ServerProcess::become_program(int program, std::vector<char*>& arguments,
                                   const ServerOptions& options) const {
  ::setpgid(0, 0);
  for (const auto& [name, descriptor] :
       {std::pair{"output", STDOUT_FILENO}, std::pair{"error", STDERR_FILENO}})
    ::dup2(::open((directory_ / name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), descriptor);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  if (options.in_process) options.in_process();
  if (options.user != static_cast<uid_t>(-1) && (::setgid(options.user) != 0 || ::setuid(options.user) != 0))
    ::_exit(126);
  // After the change of user, which clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != tester_ && ::getppid() != 0) ::_exit(126);
  ::fexecve(program, arguments.data(), environ);
  ::_exit(127);
}

ServerProcess::~ServerProcess() {
  // Children may have left the process group (they may do anything), so by name as well.
  const std::vector<pid_t> known = exit_ ? std::vector<pid_t>() : children_of(pid_);
  ::kill(-pid_, SIGKILL);
  for (const pid_t child : known) {
    ::kill(child, SIGKILL);
    ::kill(-child, SIGKILL);  // a child that runs a program leads a group
  }
  if (!exit_) ::waitpid(pid_, nullptr, 0);
  // What a sanitizer found in the server is a failure of the test.
  const std::string complaints = standard_error() + log();  // the log has what children have written
  const bool sanitizer_spoke = complaints.find("Sanitizer") != std::string::npos ||
                               complaints.find("runtime error:") != std::string::npos;
  if (sanitizer_spoke && heed_sanitizers_) FAIL_CHECK(complaints);
}

bool ServerProcess::is_ready() const { return !find_ready(log()).empty(); }
std::string ServerProcess::ready_line() const { return find_ready(log()); }

void ServerProcess::wait_ready() {
  std::string ready;
  const bool known = eventually([&] {
    ready = ready_line();
    return !ready.empty() || !running();
  });
  if (!known || ready.empty())
    throw std::runtime_error("the server did not become ready; its log:\n" + log() + "\nand what it said:\n" +
                             standard_error() + (exit_ ? "\nand its end: " + to_string(*exit_) : ""));
  std::istringstream words(between(ready, " on ", ", pid "));
  addresses_.clear();
  for (std::string word; words >> word;) addresses_.push_back(word);
  scoreboard_ = between(ready, ", scoreboard ", "\n");
}

std::vector<Client> ServerProcess::hold(unsigned number) const {
  std::vector<Client> clients;
  for (unsigned i = 0; i < number; ++i) {
    clients.push_back(connect());
    clients.back().child();
  }
  return clients;
}

void ServerProcess::signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }
void ServerProcess::signal_group(int number) const { REQUIRE(::kill(-pid_, number) == 0); }

bool ServerProcess::running() {
  if (exit_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_ = WIFEXITED(status) ? exited(WEXITSTATUS(status)) : killed_by(WTERMSIG(status));
  return false;
}

std::optional<Exit> ServerProcess::wait_exit(std::chrono::milliseconds deadline) {
  if (!eventually([this] { return !running(); }, deadline)) {
    MESSAGE("the server does not end; its log:\n" << log());
    return {};
  }
  return exit_;
}

std::string ServerProcess::log() const { return read_file(log_path()); }
std::string ServerProcess::standard_error() const { return read_file(directory_ / "error"); }
std::string ServerProcess::standard_output() const { return read_file(directory_ / "output"); }

bool ServerProcess::wait_for_log(const std::string& text) const {
  const bool came = eventually([&] { return log().find(text) != std::string::npos; });
  if (!came) MESSAGE("not in the log: '" << text << "'; the log:\n" << log());
  return came;
}

unsigned ServerProcess::count_in_log(const std::string& text) const {
  const std::string all = log();
  unsigned count = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + text.size())) ++count;
  return count;
}

bool ServerProcess::reaches(const std::function<bool(const ServiceSnapshot&)>& condition) const {
  ServiceSnapshot last;
  const bool reached = eventually([&] {
    last = service();
    return condition(last);
  });
  if (!reached) MESSAGE("at last: " << describe(last) << "\nlog:\n" << log());
  return reached;
}

std::vector<pid_t> ServerProcess::children() const { return children_of(pid_); }

bool ServerProcess::shows_leaving(pid_t child) const {
  return reaches([child](const ServiceSnapshot& service) {
    return std::ranges::any_of(service.slots, [child](const SlotSnapshot& slot) {
      return slot.pid == child && slot.state == SlotState::leaving;
    });
  });
}

std::string describe(const ServiceSnapshot& service) {
  std::ostringstream out;
  out << "generation " << service.generation << ", starting " << service.starting << ", idle " << service.idle
      << ", busy " << service.busy << ", leaving " << service.leaving << ", stopped " << service.stopped
      << ", open " << service.open_connections << ", accepted " << service.total.accepted << ", finished "
      << service.total.finished << ", failed " << service.total.failed << ", peers gone "
      << service.total.peers_gone << ", timed out " << service.total.timed_out << ", probes "
      << service.total.probes << ", aborted " << service.total.aborted << ", children started "
      << service.children_started << ", gone " << service.children_gone << ", failed "
      << service.children_failed;
  for (const auto& slot : service.slots)
    if (slot.state != SlotState::empty)
      out << "\n  " << slot.pid << ' ' << slot_state_names[static_cast<std::size_t>(slot.state)]
          << " generation " << slot.generation << (slot.stopped ? " stopped" : "")
          << (slot.asks ? " asks" : "") << " accepted " << slot.figures.accepted << " open "
          << slot.open_connections << " note '" << slot.note << "'";
  return out.str();
}

std::function<bool(const ServiceSnapshot&)> settled_at(std::uint32_t generation) {
  return [generation](const ServiceSnapshot& service) {
    return service.generation == generation && service.starting == 0 && service.leaving == 0 &&
           service.idle >= service.min_spare_servers &&
           std::all_of(service.slots.begin(), service.slots.end(), [&](const SlotSnapshot& slot) {
             return slot.state == SlotState::empty || slot.generation == generation;
           });
  };
}

std::vector<std::string> pool(unsigned children) {
  const std::string number = std::to_string(children);
  return {"--start-servers=" + number, "--min-spare-servers=1", "--max-spare-servers=" + number,
          "--max-clients=" + number};
}

}  // namespace brood::test
