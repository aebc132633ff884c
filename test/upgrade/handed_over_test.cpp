// SPDX-License-Identifier: MIT
#include "upgrade/handed_over.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "brood/error.hpp"
#include "upgrade/takeover.hpp"

namespace brood {
namespace {

HandedOver example() {
  HandedOver left;
  left.name = "mail server";
  left.runtime_directory = "/run/b r o o d";
  left.program = "/usr/bin/mail=server";
  left.pid_file = "/run/pid";
  left.pid_file_descriptor = 4;
  left.report_descriptor = 5;
  left.name_descriptor = 21;
  left.ready = true;
  left.scoreboard = "/run/brood/mail.scoreboard";
  left.server_file = {.path = "/run/brood/mail.scoreboard/.server",
                      .whole_descriptor = 6,
                      .read_only_descriptor = 7,
                      .wake_descriptor = 8};
  left.control = {.descriptor = 11, .device = 56, .inode = 78};
  left.log_channel = {.sender = 22, .receiver = 23};
  left.inherited_descriptors = {19, 20};
  left.settings["listen"] = {.values = {"127.0.0.1:25", "unix:/run/a b,mode=0600"}, .where = "mail.conf:3"};
  left.settings["note"] = {.values = {""}, .where = "command line"};
  const ChildRecord child{.pid = 4711,
                          .signals = {.leave = SIGQUIT, .group = true},
                          .generation = 3,
                          .forked_at = Time(std::chrono::nanoseconds(123456789)),
                          .replacement = true,
                          .told_to_leave = true,
                          .leaving_since = Time(std::chrono::nanoseconds(223456789)),
                          .stopped = true,
                          .escalation = Escalation::killed,
                          .escalated_at = Time(std::chrono::nanoseconds(323456789))};
  ServiceSnapshot counted;
  counted.total.latency.at(2) = 6;
  counted.waits.back() = 5;
  left.services.push_back(
      {.name = "imap",
       .scoreboard = {.path = "/run/brood/mail.scoreboard/imap",
                      .whole_descriptor = 13,
                      .read_only_descriptor = 14,
                      .wake_descriptor = 15},
       .generation = 3,
       .drain_until = never,
       .listeners = {{.spec = parse_listen("unix:/run/a b,mode=0600"),
                      .descriptor = 9,
                      .named = true,
                      .device = 12,
                      .inode = 34},
                     {.spec = parse_listen("127.0.0.1:25"), .descriptor = 10, .drained = true}},
       .children = {{.slot = 2, .record = child}},
       .detached = {},
       .log_channel = {.sender = 24, .receiver = 25},
       .on_failure = {.failures = 3,
                      .last = {.slot = 7, .pid = 4712, .code = 1, .status = 70},
                      .pid = 4713,
                      .killed = true,
                      .started = Time(std::chrono::nanoseconds(423456789))},
       .output = {.read_descriptor = 26,
                  .write_descriptor = 27,
                  .lost = 5,
                  .parts = {{.writer = 4714, .text = "no = end", .cut = 1, .since = Time{}}}},
       .notify_descriptor = 28,
       .sandboxes = {.receiver_descriptor = 29,
                     .sender_descriptor = 30,
                     .sandboxes = {{.descriptor = 31, .child = 4715, .forbids = false}}},
       .throttle = {.delay = std::chrono::seconds(16),
                    .may_start = Time(std::chrono::nanoseconds(523456789)),
                    .children_fail = true},
       .figures = {.before = counted,
                   .activity = {.accepted = 9},
                   .since = Time(std::chrono::seconds(7)),
                   .quiet = true},
       .scaled = {{"max-clients", "400"}, {"idle-timeout", "1h"}}});
  left.services.push_back(
      {.name = "pop",
       .scoreboard = {.path = "", .whole_descriptor = 16, .read_only_descriptor = 17, .wake_descriptor = 18},
       .generation = 1,
       .drain_until = Time(std::chrono::nanoseconds(5)),
       .listeners = {},
       .children = {},
       .detached = {},
       .log_channel = {},
       .on_failure = {},
       .throttle = {},
       .scaled = {}});
  return left;
}

std::string written(const Handover& handover) {
  std::string all;
  for (const auto& record : handover) all += record.line() + '\n';
  return all;
}

Handover read_again(const Handover& handover) {
  Handover all;
  for (const auto& record : handover) all.push_back(WireRecord::parse(record.line()));
  return all;
}

}  // namespace

TEST_CASE("handed over: what was written is read, every bit of it") {
  const Handover handover = to_handover(example());
  const HandedOver left = from_handover(read_again(handover));
  CHECK(written(to_handover(left)) == written(handover));
  CHECK(left.name == "mail server");
  CHECK(left.ready);
  CHECK_FALSE(left.reported_not_ready);
  CHECK(left.settings.at("listen").values.size() == 2);
  CHECK(left.settings.at("note").values == std::vector<std::string>{""});
  REQUIRE(left.services.size() == 2);
  const auto& imap = left.services[0];
  CHECK(imap.drain_until == never);
  REQUIRE(imap.listeners.size() == 2);
  CHECK(imap.listeners[0].spec.mode == 0600);
  CHECK(imap.listeners[0].inode == 34);
  CHECK(imap.listeners[1].drained);
  REQUIRE(imap.children.size() == 1);
  CHECK(imap.children[0].slot == 2);
  CHECK(imap.children[0].record.escalation == Escalation::killed);
  CHECK(to_nanoseconds(imap.children[0].record.escalated_at) == 323456789);
  CHECK(imap.on_failure.last.slot == 7U);
  CHECK(imap.on_failure.pid == 4713);
  CHECK(imap.children[0].record.signals.leave == SIGQUIT);
  CHECK(imap.children[0].record.signals.group);
  CHECK(imap.output.write_descriptor == 27);
  CHECK(imap.output.lost == 5);
  REQUIRE(imap.output.parts.size() == 1);
  CHECK(imap.output.parts[0].text == "no = end");
  CHECK(imap.notify_descriptor == 28);
  CHECK(imap.sandboxes.sender_descriptor == 30);
  REQUIRE(imap.sandboxes.sandboxes.size() == 1);
  CHECK(imap.sandboxes.sandboxes[0].child == 4715);
  CHECK_FALSE(imap.sandboxes.sandboxes[0].forbids);
  CHECK(left.services[1].sandboxes.receiver_descriptor == -1);
  CHECK(imap.throttle.delay == std::chrono::seconds(16));
  CHECK(imap.throttle.children_fail);
  CHECK(left.services[1].throttle.delay == Clock::duration::zero());
  REQUIRE(imap.figures.before);
  CHECK(imap.figures.before->total.latency.at(2) == 6);
  CHECK(imap.figures.before->waits.back() == 5);
  CHECK(imap.figures.activity.accepted == 9);
  CHECK(imap.figures.since == Time(std::chrono::seconds(7)));
  CHECK(imap.figures.quiet);
  CHECK_FALSE(left.services[1].figures.before);
  CHECK(left.services[1].listeners.empty());
  CHECK(left.services[1].on_failure.started == Time::min());
  CHECK(left.name_descriptor == 21);
  CHECK(left.control.inode == 78);
  CHECK(left.log_channel.sender == 22);
  CHECK(left.log_channel.receiver == 23);
  CHECK(imap.log_channel.receiver == 25);
  CHECK(left.inherited_descriptors == std::vector{19, 20});
  CHECK(left.server_file.path == "/run/brood/mail.scoreboard/.server");
  CHECK(imap.scoreboard.wake_descriptor == 15);
  CHECK(left.services[1].scoreboard.path.empty());
}

TEST_CASE("handed over: the descriptors that cross are known without knowing the records") {
  Handover handover = to_handover(example());
  handover.push_back(WireRecord("of-another-version").set("its-descriptor", 12));
  auto all = descriptors_of(handover);
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<int>{4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
                                18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31});
}

TEST_CASE("handed over: of another version, what is more is passed over") {
  Handover handover = to_handover(example());
  handover.insert(handover.begin(), WireRecord("telescope").set("service", "none"));
  for (auto& record : handover) record.set("colour", "green");
  CHECK(from_handover(handover).services.size() == 2);
}

TEST_CASE("handed over: what is missing is refused, whatever it is") {
  const Handover whole = to_handover(example());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const std::string& kind = whole[i].kind();
    if (kind == "setting") continue;
    for (const auto& [left_out, value] : whole[i].fields()) {
      // These may be missing: a pipe, the file of a listener without one, and the slot of a detached child.
      if (left_out == "report-descriptor" || left_out == "failed-slot") continue;
      if (left_out == "inode" && kind == "listener") continue;
      // What is usual is left out.
      if (left_out == "leave-signal" || left_out == "leads-group" || left_out == "lost") continue;
      Handover handover = whole;
      handover[i] = WireRecord(kind);
      for (const auto& [name, kept] : whole[i].fields())
        if (name != left_out) handover[i].set(name, kept);
      CAPTURE(kind);
      CAPTURE(left_out);
      CHECK_THROWS_AS(from_handover(handover), Error);
    }
  }
  for (const std::string kind : {"parent", "scoreboard", "service"}) {
    Handover handover = whole;
    std::erase_if(handover, [&](const WireRecord& record) { return record.kind() == kind; });
    CAPTURE(kind);
    CHECK_THROWS_AS(from_handover(handover), Error);
  }
}

TEST_CASE("handed over: a child's end that is unknown is refused") {
  Handover handover = to_handover(example());
  handover.push_back(WireRecord::parse(
      "child service=pop slot=0 pid=5 generation=1 forked-at=0 replacement=0 told-to-leave=0 told-at=0 "
      "stopped=0 ending=4 ending-at=0"));
  CHECK_THROWS_AS(from_handover(handover), Error);
}

TEST_CASE(
    "takeover: what was handed over is its own when it has accepted, and what nobody claimed is closed") {
  HandedOver left = example();
  const auto open_one = [] { return ::open("/dev/null", O_RDONLY); };
  for (int* descriptor : {&left.pid_file_descriptor, &left.name_descriptor, &left.report_descriptor,
                          &left.server_file.whole_descriptor, &left.server_file.read_only_descriptor,
                          &left.server_file.wake_descriptor})
    *descriptor = open_one();
  for (LogChannelDescriptors* channel : {&left.log_channel, &left.services[0].log_channel})
    *channel = {.sender = open_one(), .receiver = open_one()};
  left.inherited_descriptors = {open_one()};
  left.services.resize(1);
  for (int* descriptor :
       {&left.services[0].scoreboard.whole_descriptor, &left.services[0].scoreboard.read_only_descriptor,
        &left.services[0].scoreboard.wake_descriptor, &left.services[0].output.read_descriptor,
        &left.services[0].output.write_descriptor, &left.services[0].notify_descriptor,
        &left.services[0].sandboxes.receiver_descriptor, &left.services[0].sandboxes.sender_descriptor,
        &left.services[0].sandboxes.sandboxes[0].descriptor})
    *descriptor = open_one();
  for (auto& listener : left.services[0].listeners) listener.descriptor = open_one();
  Handover handover = to_handover(left);
  const int unknown = open_one();
  handover.push_back(WireRecord("of-another-version").set("its-descriptor", unknown));
  const Descriptor memory = write_handover(handover);
  ::setenv(parent_variable, (std::to_string(::dup(memory.get())) + ':' + std::to_string(::getpid())).c_str(),
           1);
  Takeover takeover(0, nullptr);
  REQUIRE(takeover.handed_over() != nullptr);
  CHECK_FALSE(takeover.rehearses());
  CHECK_FALSE(takeover.given_back());
  for (const int descriptor : descriptors_of(handover)) CHECK(::fcntl(descriptor, F_GETFD) == FD_CLOEXEC);
  const Descriptor claimed = takeover.claim(left.pid_file_descriptor);
  takeover.give_back("no former program is named");  // returns
  takeover.accept();
  CHECK(::fcntl(claimed.get(), F_GETFD) == FD_CLOEXEC);
  CHECK(::fcntl(left.server_file.whole_descriptor, F_GETFD) == -1);
  CHECK(::fcntl(unknown, F_GETFD) == -1);
}

TEST_CASE("takeover: nothing is handed over, or not to this process") {
  ::unsetenv(parent_variable);
  CHECK(Takeover(0, nullptr).handed_over() == nullptr);
  const Descriptor memory = write_handover(to_handover(example()));
  ::setenv(parent_variable, handover_address(memory, ::getppid()).c_str(), 1);
  CHECK(Takeover(0, nullptr).handed_over() == nullptr);
  CHECK(std::getenv(parent_variable) == nullptr);
}

}  // namespace brood
