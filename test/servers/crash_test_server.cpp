// SPDX-License-Identifier: MIT
// A server whose handlers die in the way that a client names: "die WAY". Each way is a function die_by_WAY.
// Also "pid", "peer", "note TEXT", "throw TEXT", "handle". With EVENT_LOOP it is an event loop.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#undef NDEBUG  // of a release
#include <cassert>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "brood/event_server.hpp"
#include "brood/server.hpp"
#include "brood/this_child.hpp"

// What is wrong on purpose is not for a sanitizer to find.
#define WAY [[gnu::noinline, gnu::no_sanitize("undefined", "address")]] void

namespace {

template <typename T>
T* at(std::uintptr_t address) {
  volatile std::uintptr_t hidden = address;  // from the compiler
  return reinterpret_cast<T*>(hidden);       // NOLINT(performance-no-int-to-ptr)
}

struct Base {
  Base() { call(); }
  virtual ~Base() = default;
  void call() { step(); }
  virtual void step() = 0;
};
struct Derived : Base {
  void step() override {}
};

WAY die_by_null_write() { *at<volatile int>(0) = 1; }
WAY die_by_wild_read() { std::exit(*at<volatile int>(std::uintptr_t{0x1234} << 48U)); }
WAY die_by_constant_write() { *at<volatile char>(reinterpret_cast<std::uintptr_t>("constant")) = 'x'; }
WAY die_by_null_call() {
  at<void()>(0)();
  std::abort();  // no tail call
}
WAY die_by_wild_call() {
  at<void()>(0x1234)();
  std::abort();
}
WAY die_by_execution_of_data() {
  std::array<char, 64> data{};
  at<void()>(reinterpret_cast<std::uintptr_t>(data.data()))();
  std::abort();
}
WAY die_by_stack_overflow(volatile int* from = nullptr) {
  volatile int here = from == nullptr ? 0 : *from;
  if (here != 1) die_by_stack_overflow(&here);
  here = here + 1;
}
WAY die_by_double_free() {
  char* volatile memory = static_cast<char*>(std::malloc(5'000));
  std::free(memory);
  std::free(memory);  // NOLINT: the way to die
}
WAY die_by_abort() { std::abort(); }
WAY die_by_assertion() { assert(::getpid() == 0); }
WAY die_by_exception_in_thread() {
  std::thread([] { throw std::runtime_error("no way out"); }).join();
}
WAY die_by_fault_in_thread() {
  std::thread([] { die_by_null_write(); }).join();
}
WAY die_by_stack_overflow_in_thread() {
  std::thread([] {
    const brood::this_child::AlternateStack stack;
    die_by_stack_overflow();
  }).join();
}

// A thread that on_child_start() has started, and that is no handler's.
std::atomic<bool> told_to_die{false};
WAY start_thread() {
  std::thread([] {
    told_to_die.wait(false);
    die_by_null_write();
  }).detach();
}
WAY die_by_fault_in_lasting_thread() {
  told_to_die = true;
  told_to_die.notify_all();
  ::pause();
}

WAY throw_too_far() { throw std::out_of_range("too far"); }
WAY die_by_noexcept() noexcept { throw_too_far(); }
WAY die_by_terminate() { std::terminate(); }
WAY die_by_pure_virtual_call() { Derived(); }
WAY die_by_division() {
  volatile int number = 1'000, zero = 0;
  std::exit(number / zero);
}
WAY die_by_illegal_instruction() { __builtin_trap(); }
WAY die_by_raise() { std::raise(SIGSEGV); }
WAY die_by_system_call() { std::raise(SIGSYS); }
WAY die_by_breakpoint() { std::raise(SIGTRAP); }
WAY die_by_truncated_file() {
  const int file = ::memfd_create("truncated", MFD_CLOEXEC);
  if (::ftruncate(file, 4096) != 0) return;
  auto* const memory = static_cast<volatile char*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
  if (::ftruncate(file, 0) == 0) std::exit(*memory);
}

struct Way {
  const char* name;
  void (*die)();
};
constexpr Way ways[] = {{"null_write", die_by_null_write},
                        {"wild_read", die_by_wild_read},
                        {"constant_write", die_by_constant_write},
                        {"null_call", die_by_null_call},
                        {"wild_call", die_by_wild_call},
                        {"execution_of_data", die_by_execution_of_data},
                        {"stack_overflow", [] { die_by_stack_overflow(); }},
                        {"double_free", die_by_double_free},
                        {"abort", die_by_abort},
                        {"assertion", die_by_assertion},
                        {"exception_in_thread", die_by_exception_in_thread},
                        {"fault_in_thread", die_by_fault_in_thread},
                        {"fault_in_lasting_thread", die_by_fault_in_lasting_thread},
                        {"stack_overflow_in_thread", die_by_stack_overflow_in_thread},
                        {"noexcept", die_by_noexcept},
                        {"terminate", die_by_terminate},
                        {"pure_virtual_call", die_by_pure_virtual_call},
                        {"division", die_by_division},
                        {"illegal_instruction", die_by_illegal_instruction},
                        {"raise", die_by_raise},
                        {"system_call", die_by_system_call},
                        {"breakpoint", die_by_breakpoint},
                        {"truncated_file", die_by_truncated_file}};

WAY throw_with_text(const std::string& text) {
  if (text == "range") std::vector<int>().at(1) = 2;
  throw std::runtime_error(text);
}

void obey(brood::Connection& connection, const std::string& line) {
  if (line == "pid") connection.write_all(std::to_string(::getpid()) + '\n');
  if (line == "peer") connection.write_all(connection.peer() + "\n");
  if (line.starts_with("note ")) {
    connection.note(line.substr(5));
    connection.write_all("noted\n");
  }
  if (line.starts_with("throw ")) throw_with_text(line.substr(6));
  if (line == "handle") {  // its own handler, as a library sets one
    std::signal(SIGABRT, [](int) { ::_exit(5); });
    connection.write_all("handled\n");
  }
  for (const auto& [name, die] : ways)
    if (line == std::string("die ") + name) die();
}

#ifdef EVENT_LOOP
class CrashTestServer : public brood::EventServer {
  void on_child_start() override { start_thread(); }
  Next handle_readable(brood::Connection& connection) override {
    while (const auto line = connection.try_line()) obey(connection, *line);
    return Next::request;
  }
};
#else
class CrashTestServer : public brood::Server {
  void on_child_start() override { start_thread(); }
  bool thread_safe() const override { return true; }
  void handle_connection(brood::Connection& connection) override {
    while (const auto line = connection.read_line()) obey(connection, *line);
  }
};
#endif

}  // namespace

int main(int argc, char** argv) { return CrashTestServer().run(argc, argv); }
