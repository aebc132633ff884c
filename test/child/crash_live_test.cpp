// SPDX-License-Identifier: MIT
// What a child leaves that a signal ends: its stack in the log, with the names of functions although the
// program is stripped, and in the journal that `broodctl crashes` reads.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>

#include "broodctl.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct WayToDie {
  const char* name;
  int signal;
  const char* function = nullptr;  // where it dies; nullptr: die_by_NAME
};

// 4 with a function that calls what is no function, among them.
constexpr WayToDie ways_to_die[] = {
    {"null_write", SIGSEGV},     {"wild_read", SIGSEGV},           {"constant_write", SIGSEGV},
    {"null_call", SIGSEGV},      {"wild_call", SIGSEGV},           {"execution_of_data", SIGSEGV},
    {"stack_overflow", SIGSEGV}, {"double_free", SIGABRT},         {"abort", SIGABRT},
    {"assertion", SIGABRT},      {"exception_in_thread", SIGABRT}, {"fault_in_thread", SIGSEGV, "null_write"},
    {"noexcept", SIGABRT},       {"terminate", SIGABRT},           {"pure_virtual_call", SIGABRT},
    {"division", SIGFPE},        {"illegal_instruction", SIGILL},  {"raise", SIGSEGV},
    {"system_call", SIGSYS},     {"breakpoint", SIGTRAP},          {"truncated_file", SIGBUS}};

#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// The sanitizer has handlers of its own, which the kit leaves alone, and its allocator says itself what is
// wrong.
class WithoutHandlers {
 public:
  WithoutHandlers() {
    if (const char* const options = std::getenv("ASAN_OPTIONS")) before_ = options;
    const std::string more =
        "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:handle_sigtrap=0:";
    ::setenv("ASAN_OPTIONS", (more + before_).c_str(), 1);
  }
  ~WithoutHandlers() {
    if (before_.empty())
      ::unsetenv("ASAN_OPTIONS");
    else
      ::setenv("ASAN_OPTIONS", before_.c_str(), 1);
  }
  WithoutHandlers(const WithoutHandlers&) = delete;
  WithoutHandlers& operator=(const WithoutHandlers&) = delete;

 private:
  std::string before_;
};

// A copy without symbols and debug information, which are in .debug beside it, as `make install` leaves them.
std::string stripped(const TemporaryDirectory& directory, const std::string& program,
                     bool keep_debug = true) {
  const std::string copy = directory / program, debug = directory / (".debug/" + program + ".debug");
  std::filesystem::create_directory(directory / ".debug");
  std::string command = "objcopy --strip-all ";
  if (keep_debug)
    command = "objcopy --only-keep-debug " + program_path(program) + ' ' + debug +
              " && objcopy --strip-all --add-gnu-debuglink=" + debug + ' ';
  REQUIRE(std::system((command + program_path(program) + ' ' + copy).c_str()) == 0);
  return copy;
}

struct Death {
  pid_t child;
  std::string peer;
};

// The child has finished a connection before, so that it counts as proven.
Death die(const ServerProcess& server, const std::string& way) {
  const auto finished = server.service().total.finished;
  { server.connect().ask("pid"); }
  REQUIRE(server.reaches([&](const auto& service) { return service.total.finished > finished; }));
  Client client = server.connect();
  Death death{.child = static_cast<pid_t>(std::stol(client.ask("pid"))), .peer = client.ask("peer")};
  CHECK(client.ask("note die by " + way) == "noted");
  client.send("die " + way + '\n');
  client.ending();
  return death;
}

bool has_line(const std::string& log, const std::string& begin, const std::string& part) {
  for (auto at = log.find(begin); at != std::string::npos; at = log.find(begin, at + 1))
    if (log.substr(at, log.find('\n', at) - at).find(part) != std::string::npos) return true;
  return false;
}

// The block of the log: signal, peer, note, and a frame of the function.
void check_block(const ServerProcess& server, const Death& death, const WayToDie& way) {
  const std::string child = "child " + std::to_string(death.child);
  const std::string function = std::string("die_by_") + (way.function == nullptr ? way.name : way.function);
  CAPTURE(way.name);
  CHECK(eventually([&] { return has_line(server.log(), child + ": #", function); }));
  const std::string log = server.log();
  CHECK(has_line(log, child + " was killed by signal " + std::to_string(way.signal),
                 " while serving " + death.peer + " 'die by " + way.name + "' for "));
  CHECK(has_line(log, child + ": ", "1 connections finished"));
  CHECK(has_line(log, child + ": #", "crash_test_server.cpp:"));
}

ServerOptions options_for(const std::string& program) {
  return {.program = program, .heed_sanitizers = false};
}

void check_ways(const std::string& program, std::span<const WayToDie> some,
                std::vector<std::string> settings) {
  const WithoutHandlers without;
  const TemporaryDirectory directory;
  const std::vector<std::string> one = pool(1);
  settings.insert(settings.end(), one.begin(), one.end());
  ServerProcess server(settings, options_for(stripped(directory, program)));
  for (const WayToDie& way : some) {
    if (sanitized && way.name == std::string("double_free")) continue;
    check_block(server, die(server, way.name), way);
  }
}

// As addr2line(1) prints them. `places`: "server+0x12, server+0x34".
std::string functions_at(const std::string& program, const std::string& places) {
  std::string command = "addr2line -Cfie " + program_path(program), functions;
  for (auto at = places.find(program + '+'); at != std::string::npos;
       at = places.find(program + '+', at + 1)) {
    const auto offset = at + program.size() + 1;
    command += ' ' + places.substr(offset, places.find_first_not_of("0123456789abcdefx", offset) - offset);
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  for (int character = std::fgetc(pipe.get()); character != EOF; character = std::fgetc(pipe.get()))
    functions += static_cast<char>(character);
  return functions;
}

constexpr WayToDie three_ways[] = {
    {"null_write", SIGSEGV}, {"stack_overflow", SIGSEGV}, {"double_free", SIGABRT}};

}  // namespace

TEST_CASE("21 ways to die in a handler of a stripped program: the log names peer, note and function") {
  check_ways("brood-crash-test-server", ways_to_die, {});
}

TEST_CASE("a crash in a thread of a child, and in an event loop, leaves its stack as well") {
  check_ways("brood-crash-test-server", three_ways, {"--threads-per-child=4"});
  check_ways("brood-crash-event-test-server", three_ways, {});
}

TEST_CASE("a thread that the server has started leaves its stack, also of an overflow if it asks for that") {
  constexpr WayToDie ways[] = {{"fault_in_lasting_thread", SIGSEGV, "null_write"},
                               {"stack_overflow_in_thread", SIGSEGV, "stack_overflow"}};
  check_ways("brood-crash-test-server", ways, {});
  check_ways("brood-crash-test-server", ways, {"--threads-per-child=4"});
  check_ways("brood-crash-event-test-server", ways, {});
}

TEST_CASE("an exception that nobody catches is in the log with its type and message") {
  const WithoutHandlers without;
  ServerProcess server(pool(1), options_for("brood-crash-test-server"));
  const Death in_thread = die(server, "exception_in_thread");
  CHECK(server.wait_for_log("child " + std::to_string(in_thread.child) +
                            ": uncaught std::runtime_error: no way out"));
  const Death in_noexcept = die(server, "noexcept");
  CHECK(server.wait_for_log("child " + std::to_string(in_noexcept.child) +
                            ": uncaught std::out_of_range: too far"));
  const Death abort = die(server, "abort");
  CHECK(server.wait_for_log("child " + std::to_string(abort.child) + ": #0"));
  CHECK(server.count_in_log(": uncaught ") == 2);
  CHECK(ask(server, "crashes").says("SIGABRT in (anonymous namespace)::die_by_exception_in_thread()"));
}

TEST_CASE("an exception that ends a connection is in the log with the place where it was thrown") {
  const auto check = [](const std::string& program, std::vector<std::string> settings) {
    settings.insert(settings.begin(), "--start-servers=1");
    ServerProcess server(settings, options_for(program));
    for (const std::string text : {"on purpose", "range"}) {
      Client client = server.connect();
      client.send("throw " + text + '\n');
      CHECK(client.ending() == Ending::closed);
      const std::string type = text == "range" ? "(std::out_of_range)" : "(std::runtime_error)";
      REQUIRE(server.wait_for_log(type + ", thrown at " + program + "+0x"));
      const std::string log = server.log();
      const auto places = log.find(program + "+0x", log.find(type));
      const std::string offsets = log.substr(places, log.find('\n', places) - places);
      CAPTURE(offsets);
      CHECK(functions_at(program, offsets).find("throw_with_text(") != std::string::npos);
    }
  };
  check("brood-crash-test-server", {});
  check("brood-crash-test-server", {"--threads-per-child=4"});
  check("brood-crash-event-test-server", {});
}

TEST_CASE("without any debug information the log has modules and offsets") {
  const WithoutHandlers without;
  const TemporaryDirectory directory;
  const std::string program = stripped(directory, "brood-crash-test-server", false);
  ServerProcess server(pool(1), options_for(program));
  const Death death = die(server, "null_write");
  CHECK(server.wait_for_log("child " + std::to_string(death.child) + ": #0 " + program + "+0x"));
}

TEST_CASE("a signal handler that the server sets itself comes before the kit's") {
  const WithoutHandlers without;
  ServerProcess server(pool(1), options_for("brood-crash-test-server"));
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(client.ask("handle") == "handled");
  client.send("die abort\n");
  CHECK(client.ending() == Ending::closed);
  CHECK(server.wait_for_log("child " + child + " exited with code 5"));
}

TEST_CASE("broodctl crashes groups what happened over a reload, and when the server is gone") {
  const WithoutHandlers without;
  ServerProcess server(pool(1), options_for("brood-crash-test-server"));
  CHECK(ask(server, "crashes").says("no child was ended by a signal"));
  die(server, "null_write");
  die(server, "division");
  server.signal(SIGHUP);
  REQUIRE(server.reaches(settled_at(2)));
  const Death last = die(server, "null_write");
  REQUIRE(server.wait_for_log("child " + std::to_string(last.child) + ": #0"));
  REQUIRE(eventually([&] { return ask(server, "crashes").says("2 x SIGSEGV"); }));
  const std::string journal = ask(server, "crashes").text;
  CHECK(journal.find("2 x SIGSEGV in (anonymous namespace)::die_by_null_write") == 0);
  CHECK(journal.find("note 'die by null_write'") != std::string::npos);
  CHECK(journal.find("child " + std::to_string(last.child) + " while serving " + last.peer) !=
        std::string::npos);
  CHECK(journal.find("1 x SIGFPE in (anonymous namespace)::die_by_division") != std::string::npos);
  CHECK(ask(server, "crashes nobody").says("no child was ended by a signal"));
  server.signal(SIGTERM);
  REQUIRE(server.wait_exit() == exited(0));
  CHECK(ask(server, "crashes").says("2 x SIGSEGV"));
}
