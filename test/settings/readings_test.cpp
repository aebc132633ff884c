// SPDX-License-Identifier: MIT
// Look-ups that one process does and another one repeats, and the process with its deadline.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/lookup/identity.hpp"
#include "base/lookup/lookups.hpp"
#include "base/signals.hpp"
#include "brood/error.hpp"
#include "settings/readings.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

std::string refuse_to_look_up() { throw std::logic_error("was looked up"); }

// The message, and the code.
std::string failure_of(const std::string& key) {
  try {
    return look_up("thing", key, refuse_to_look_up);
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ' ' + error.what();
  }
}

// Waits as the parent's loop does.
void run(Readings& readings, const std::function<bool()>& done) {
  while (!done()) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
      readings.reaped(info.si_pid, info.si_code, info.si_status);
    readings.look(Clock::now());
    ::usleep(1000);
  }
}

struct Outcome {
  std::vector<std::string> all;
  Readings::Reading reading(const std::string& name, std::function<void()> in_process) {
    return {name, std::move(in_process), [this, name](const std::string& failure) {
              all.push_back(name + ": " + (failure.empty() ? failure_of("key") : failure));
            }};
  }
};

void hang() {
  for (;;) ::pause();
}
void look_up_key() {
  look_up("thing", "key", [] { return std::string("value"); });
}

}  // namespace

TEST_CASE("what was looked up is repeated, and nothing else") {
  Lookups known;
  {
    const RecordLookups record(known);
    CHECK(look_up("thing", "a\nb=%", [] { return std::string("1\n\0 2", 5); }) == std::string("1\n\0 2", 5));
    CHECK_THROWS_AS(look_up("thing", "wrong", []() -> std::string { throw ConfigurationError("is wrong"); }),
                    ConfigurationError);
    CHECK_THROWS(look_up("thing", "sick", []() -> std::string { throw SystemError("x", ENOENT); }));
    CHECK_THROWS(look_up("thing", "odd", []() -> std::string { throw std::runtime_error("odd"); }));
  }
  const Lookups copy(known.records());
  const RepeatLookups repeat(copy);
  CHECK(failure_of("a\nb=%") == std::string("1\n\0 2", 5));
  CHECK(failure_of("wrong") == "78 is wrong");
  CHECK_THROWS_AS(look_up("thing", "wrong", refuse_to_look_up), ConfigurationError);
  CHECK(failure_of("sick") == "71 x: No such file or directory");
  CHECK(failure_of("odd") == "70 odd");
  CHECK(failure_of("new") == "71 thing new was not looked up: try again");
}

TEST_CASE("users and hosts are repeated as they were found") {
  const ListenSpec host = parse_listen("localhost:80"), number = parse_listen("127.0.0.1:80");
  Lookups known;
  Identity root;
  std::vector<SocketAddress> found;
  {
    const RecordLookups record(known);
    root = find_identity("root", "");
    found = resolve(host);
  }
  const RepeatLookups repeat(known);
  const Identity again = find_identity("root", "");
  CHECK(again.name == root.name);
  CHECK(again.user == root.user);
  CHECK(again.group == root.group);
  CHECK(again.groups == root.groups);
  CHECK_THROWS(find_identity("nobody", ""));
  const auto addresses = resolve(host);
  REQUIRE(addresses.size() == found.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(to_text(addresses[i].storage) == to_text(found[i].storage));
  CHECK(resolve(number).size() == 1);  // no look-up
  CHECK_THROWS(resolve(parse_listen("elsewhere.example:80")));
}

TEST_CASE("readings take place in processes, one after the other, and end at the deadline") {
  block_all_signals();
  Outcome outcome;
  Readings readings(300ms);
  readings.add(outcome.reading("one", look_up_key), Clock::now());
  readings.add(outcome.reading("two", hang), Clock::now());
  readings.add(outcome.reading("three", [] { ::raise(SIGKILL); }), Clock::now());
  readings.add(outcome.reading("four", [] {}), Clock::now());
  readings.add(outcome.reading("five",
                               [] {
                                 look_up_key();
                                 throw std::runtime_error("a mistake of the settings");
                               }),
               Clock::now());
  CHECK(readings.has("one"));
  CHECK_FALSE(readings.waits("one"));
  CHECK(readings.waits("five"));
  run(readings, [&] { return outcome.all.size() == 5; });
  CHECK(outcome.all ==
        std::vector<std::string>{"one: value", "two: reading the settings took longer than 300ms",
                                 "three: the process that reads the settings was killed by signal 9 (Killed)",
                                 "four: 71 thing key was not looked up: try again", "five: value"});
  CHECK_FALSE(readings.has("five"));
  CHECK(readings.look_again() == never);
}

TEST_CASE("readings that are cancelled call nobody") {
  block_all_signals();
  Outcome outcome;
  Readings readings;
  readings.add(outcome.reading("one", hang), Clock::now());
  readings.add(outcome.reading("two", look_up_key), Clock::now());
  readings.cancel();
  CHECK_FALSE(readings.has("one"));
  CHECK_FALSE(readings.has("two"));
  CHECK(readings.look_again() == never);
  int status = 0;
  CHECK(::wait(&status) > 0);
  CHECK(WIFSIGNALED(status));
}
