// SPDX-License-Identifier: MIT
// What a forked child writes down, and the program that it becomes reads.
#include "models/programs/child_handover.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

#include "base/event_descriptor.hpp"
#include "brood/error.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

// Both sides in one process: the descriptors that are handed over are copies.
struct SlotHandover {
  Scoreboard scoreboard{"", ServerFacts::of_this_process("test"), "second", 128};
  std::uint32_t slot = 70;

  static int copy(const Descriptor& descriptor) { return ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0); }

  Handover leave() {
    const Descriptor listener(::eventfd(0, 0));
    tell_event(scoreboard.wake_descriptor(), 7);
    MappingDescriptors table{.whole = Descriptor(copy(scoreboard.descriptors().whole)),
                             .read_only = Descriptor(copy(scoreboard.descriptors().read_only))};
    const ProxySettings proxy{.from = {"10.0.0.0/8 ::1", "unix"}, .timeout = 4s};
    const ChildSetup setup{
        .server = nullptr,
        .scoreboard = &scoreboard,
        .slot = slot,
        .listeners = {{.descriptor = copy(listener),
                       .name = "fifo:/a b",
                       .trigger = TriggerKind::byte,
                       .wakes_all = true},
                      {.descriptor = copy(listener), .name = "127.0.0.1:80", .proxy = true}},
        .identity = {},
        .parent = 4711,
        .limits = {.threads = 3,
                   .connections = 5,
                   .connection_timeout = 6s,
                   .idle_timeout = 70ms,
                   .first_byte_timeout = 8s},
        .access_log = {.path = "/var/log/a b", .format = AccessLogFormat::json},
        .proxy = &proxy};
    open_log({.name = "test", .to = "stderr", .level = LogLevel::warning});
    const Descriptor told = hand_over_child(setup, table);
    table.whole.release();
    table.read_only.release();
    Descriptor taken_over(copy(told));
    ::setenv(child_variable, handover_address(taken_over, ::getpid()).c_str(), 1);
    taken_over.release();
    auto taken = read_handover(child_variable);
    REQUIRE(taken);
    return *taken;
  }
};

std::string refusal(const Handover& handover) {
  try {
    const ReceivedChild inherited(handover);
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "";
}

// The same with another value.
Handover with(const Handover& handover, const std::string& name, const std::string& value) {
  Handover changed;
  for (const auto& record : handover) {
    WireRecord copy(record.kind());
    for (const auto& [field, its] : record.fields()) copy.set(field, field == name ? value : its);
    changed.push_back(copy);
  }
  return changed;
}

}  // namespace

TEST_CASE("a child's slot is read as it was written") {
  SlotHandover it;
  const ReceivedChild inherited(it.leave());
  CHECK(std::getenv(child_variable) == nullptr);
  CHECK(inherited.service() == "second");
  CHECK(inherited.log().name == "test");
  CHECK(inherited.log().level == LogLevel::warning);
  const ChildSetup setup = inherited.setup();
  CHECK(setup.slot == 70);
  CHECK(setup.parent == 4711);
  CHECK(setup.limits.threads == 3);
  CHECK(setup.limits.connections == 5);
  CHECK(setup.limits.connection_timeout == 6s);
  CHECK(setup.limits.idle_timeout == 70ms);
  CHECK(setup.limits.first_byte_timeout == 8s);
  CHECK(setup.access_log == AccessLogSettings{"/var/log/a b", AccessLogFormat::json});
  CHECK(*setup.proxy == ProxySettings{{"10.0.0.0/8 ::1 unix"}, 4s});
  REQUIRE(setup.listeners.size() == 2);
  CHECK(setup.listeners[0].name == "fifo:/a b");
  CHECK(setup.listeners[0].trigger == TriggerKind::byte);
  CHECK(setup.listeners[0].wakes_all);
  CHECK_FALSE(setup.listeners[1].trigger);
  CHECK_FALSE(setup.listeners[1].wakes_all);
  CHECK_FALSE(setup.listeners[0].proxy);
  CHECK(setup.listeners[1].proxy);
  CHECK(clear_event(setup.scoreboard->wake_descriptor()) == 7);
  for (const int descriptor :
       {setup.scoreboard->wake_descriptor(), setup.listeners[0].descriptor, setup.listeners[1].descriptor})
    CHECK(::fcntl(descriptor, F_GETFD) == FD_CLOEXEC);
  // One table, seen from both sides.
  it.scoreboard.claim(70, 3, Clock::now());
  CHECK(setup.scoreboard->slot_orders(70).generation.load() == 3);
  setup.scoreboard->set_idle(70, true);
  CHECK(it.scoreboard.is_idle(70));
}

TEST_CASE("a scoreboard of another layout is refused, with what to do") {
  SlotHandover it;
  const std::uint32_t version = layout_version + 1;
  REQUIRE(::pwrite(it.scoreboard.descriptors().whole.get(), &version, sizeof version,
                   offsetof(Header, version)) == sizeof version);
  CHECK(refusal(it.leave()).ends_with("build this program with the parent's version"));
}

TEST_CASE("what does not fit is refused") {
  SlotHandover it;
  const auto refuses = [&](const char* name, const char* value, const std::string& why) {
    CAPTURE(name);
    const std::string refused = refusal(with(it.leave(), name, value));
    CAPTURE(refused);
    CHECK(refused.find(why) != std::string::npos);
  };
  refuses("version", "1", "this program reads version 7; build this program with the parent's version");
  refuses("version", "x", "is not a number");
  refuses("slot", "128", "the slot is not on the scoreboard");
  refuses("read-only-descriptor", "999", "take over descriptor 999: Bad file descriptor");
  CHECK(refusal({}).find("no slot") != std::string::npos);
}
