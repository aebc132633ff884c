// SPDX-License-Identifier: MIT
#include "models/executed_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/exec_words.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/child_main.hpp"
#include "models/child_handover.hpp"
#include "models/connection_program.hpp"

namespace brood {
namespace {

constexpr int first_listener = 3;  // sd_listen_fds(3)

void set(const char* variable, const std::string& value) {
  ::setenv(variable, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread yet
}

[[noreturn]] void become_program(const ServiceCommand& command) {
  ::execve(command.program().c_str(), ExecWords(command.words).get(), environ);
  throw SystemError("run command " + command.program(), errno, ExitCode::configuration);
}

// As it was put there, a program of the kit's finds it with signals still blocked: none is lost before it has
// its own handlers.
void hand_over_slot(const ServiceCommand& command, const ChildSetup& setup, const MappingDescriptors& table) {
  ::close_range(first_listener, ~0U, CLOSE_RANGE_CLOEXEC);
  const Descriptor told = hand_over_child(setup, table);
  set(child_variable, handover_address(told, ::getpid()));
  become_program(command);
}

// A colon separates names: an address can't be one.
std::string names_of(const std::vector<ChildListener>& listeners) {
  std::string names;
  for (const auto& listener : listeners) {
    const bool usable = listener.name.find(':') == std::string::npos;
    names += (names.empty() ? "" : ":") + (usable ? listener.name : "unknown");
  }
  return names;
}

// What has their numbers by now is kept: where exec() fails that is to be logged.
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
    ::close_range(first_listener, ~0U, CLOSE_RANGE_CLOEXEC);
    for (int number = first_listener; number < beyond; ++number)
      ::dup2(copies[static_cast<std::size_t>(number - first_listener)].get(), number);
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

void hand_over_listeners(const ServiceCommand& command, const ChildSetup& setup) {
  check_executable(command.program());
  ChildSlot slot(*setup.scoreboard, setup.service, setup.slot, setup.wake_fd, {});
  slot.ready();  // nobody says so later
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
  const std::string service = setup.scoreboard->service(setup.service).name.data();
  if (command.gets() == CommandGets::connection) {
    ConnectionProgram runner(command, service);
    setup.server = &runner;
    return child_main(setup);
  }
  return exit_code_of([&] {
    if (!enter(setup)) return;
    set("BROOD_SERVICE", service);
    if (command.gets() == CommandGets::slot)
      hand_over_slot(command, setup, table);
    else
      hand_over_listeners(command, setup);
  });
}

}  // namespace brood
