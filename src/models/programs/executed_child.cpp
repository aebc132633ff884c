// SPDX-License-Identifier: MIT
#include "models/programs/executed_child.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/log/log_target.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/command_server.hpp"
#include "brood/error.hpp"
#include "child/child_main.hpp"
#include "child/child_signals.hpp"
#include "models/programs/become_program.hpp"
#include "models/programs/child_handover.hpp"

namespace brood {
namespace {

constexpr int first_listener = 3;  // sd_listen_fds(3)

void set(const char* variable, const std::string& value) {
  ::setenv(variable, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread only
}

// The program gets its signals blocked: none is lost before it has its own handlers.
void hand_over_slot(const ServiceCommand& command, const ChildSetup& setup, const MappingDescriptors& table) {
  close_at_exec(first_listener);
  write_errors_to(setup.output);
  if (setup.output >= 0 && ::dup2(setup.output, STDOUT_FILENO) < 0)
    throw SystemError("change standard output", errno);
  const Descriptor handover = hand_over_child(setup, table);
  set(child_variable, handover_address(handover, ::getpid()));
  become_program(command);
}

// A colon separates names: a listener whose name is an address has none here.
std::string names_of(const std::vector<ChildListener>& listeners) {
  std::string names;
  for (const auto& listener : listeners) {
    const bool usable = listener.name.find(':') == std::string::npos;
    names += (names.empty() ? "" : ":") + (usable ? listener.name : "unknown");
  }
  return names;
}

// Gives the listeners the descriptors from first_listener on. What had those numbers is put back at the end
// of the scope, which comes only if exec() failed: the log may be among it.
class ListenersInPlace {
 public:
  explicit ListenersInPlace(const std::vector<ChildListener>& listeners) {
    const int beyond = first_listener + static_cast<int>(listeners.size());
    std::vector<Descriptor> copies;
    for (int number = first_listener; number < beyond; ++number)
      displaced_.emplace_back(::fcntl(number, F_DUPFD_CLOEXEC, beyond));
    for (const auto& listener : listeners) {
      copies.emplace_back(::fcntl(listener.descriptor, F_DUPFD_CLOEXEC, beyond));
      if (!copies.back()) throw SystemError("copy listener " + listener.name, errno);
    }
    close_at_exec(first_listener);
    for (int number = first_listener; number < beyond; ++number)
      if (::dup2(copies[static_cast<std::size_t>(number - first_listener)].get(), number) < 0)
        throw SystemError(text("give a listener descriptor ", number), errno);
  }
  ~ListenersInPlace() {
    for (std::size_t i = 0; i < displaced_.size(); ++i)
      if (displaced_[i]) ::dup3(displaced_[i].get(), first_listener + static_cast<int>(i), O_CLOEXEC);
  }
  ListenersInPlace(const ListenersInPlace&) = delete;
  ListenersInPlace& operator=(const ListenersInPlace&) = delete;

 private:
  std::vector<Descriptor> displaced_;
};

// Changes standard input, output and error; -1: it stays. As with listeners, what was there is put back if
// exec() has failed.
class StandardInPlace {
 public:
  StandardInPlace(int input, int output, int error) {
    const std::array<int, 3> wanted = {input, output, error};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const int number = static_cast<int>(i);
      if (wanted[i] < 0) continue;
      displaced_[i].reset(::fcntl(number, F_DUPFD_CLOEXEC, first_listener));
      if (::dup2(wanted[i], number) < 0) throw SystemError(text("change descriptor ", number), errno);
    }
  }
  ~StandardInPlace() {
    for (std::size_t i = 0; i < displaced_.size(); ++i)
      if (displaced_[i]) ::dup2(displaced_[i].get(), static_cast<int>(i));
  }
  StandardInPlace(const StandardInPlace&) = delete;
  StandardInPlace& operator=(const StandardInPlace&) = delete;

 private:
  std::array<Descriptor, 3> displaced_;
};

void hand_over_listeners(const ServiceCommand& command, const ChildSetup& setup) {
  check_executable(command.program());
  if (setup.notify_address.empty())
    ChildSlot(*setup.scoreboard, setup.slot, {}).ready();  // the program doesn't say so
  else
    set("NOTIFY_SOCKET", setup.notify_address);
  if (command.gets() == CommandGets::listener) {
    const int listener = setup.listeners.front().descriptor;
    const StandardInPlace in_place(listener, listener, setup.output);
    close_at_exec(first_listener);
    default_signals();
    become_program(command);
  }
  const StandardInPlace output(-1, setup.output, setup.output);
  const ListenersInPlace in_place(setup.listeners);
  set("LISTEN_FDS", text(setup.listeners.size()));
  set("LISTEN_PID", text(::getpid()));
  set("LISTEN_FDNAMES", names_of(setup.listeners));
  default_signals();
  become_program(command);
}

}  // namespace

MappingDescriptors for_child(const ServiceCommand& command, const MappingDescriptors& parents) {
  if (command.gets() != CommandGets::slot) return {};
  return {.whole = Descriptor(::fcntl(parents.whole.get(), F_DUPFD_CLOEXEC, 0)),
          .read_only = Descriptor(::fcntl(parents.read_only.get(), F_DUPFD_CLOEXEC, 0))};
}

int execute(const ServiceCommand& command, ChildSetup setup, MappingDescriptors table) {
  ::setpgid(0, 0);  // can't fail: it leads no session
  const std::string service = setup.scoreboard->service().name.data();
  if (command.gets() == CommandGets::connection) {
    // Where the child's standard error is not its log, it is `output`, and its programs have it from there.
    const bool apart = setup.output >= 0 && logs_to_standard_error();
    CommandServer server(command, service, apart ? ::fcntl(setup.output, F_DUPFD_CLOEXEC, 0) : -1);
    setup.server = &server;
    return child_main(std::move(setup));
  }
  return exit_code_of([&] {
    // A program that takes the listeners knows of no other signal that ends it.
    const bool foreign = command.takes_listeners();
    if (!enter(setup, foreign ? command.stop_signal : child_signals::retire)) return;
    set("BROOD_SERVICE", service);
    if (command.gets() == CommandGets::slot)
      hand_over_slot(command, setup, table);
    else
      hand_over_listeners(command, setup);
  });
}

}  // namespace brood
