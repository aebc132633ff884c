// SPDX-License-Identifier: MIT
#include "upgrade/handed_over.hpp"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

Time time_of(const WireRecord& record, std::string_view field) {
  const auto nanoseconds = record.number<std::int64_t>(field);
  return nanoseconds == to_nanoseconds(never) ? never : from_nanoseconds(nanoseconds);
}

bool is_set(const WireRecord& record, std::string_view field) { return record.number<int>(field) != 0; }

// ---- each thing: how it is written, how it is read

WireRecord write_parent(const HandedOver& from) {
  WireRecord record("parent");
  record.set("name", from.name)
      .set("runtime-directory", from.runtime_directory)
      .set("program", from.program)
      .set("ready", int{from.ready})
      .set("told-not-ready", int{from.told_not_ready})
      .set("wake-descriptor", from.wake_descriptor);
  if (from.report_descriptor >= 0) record.set("report-descriptor", from.report_descriptor);
  return record;
}

void read_parent(const WireRecord& record, HandedOver& to) {
  to.name = record["name"];
  to.runtime_directory = record["runtime-directory"];
  to.program = record["program"];
  to.ready = is_set(record, "ready");
  to.told_not_ready = is_set(record, "told-not-ready");
  to.wake_descriptor = record.number<int>("wake-descriptor");
  if (record.find("report-descriptor") != nullptr)
    to.report_descriptor = record.number<int>("report-descriptor");
}

WireRecord write_scoreboard(const HandedOver& from) {
  WireRecord record("scoreboard");
  record.set("path", from.scoreboard)
      .set("descriptor", from.whole_descriptor)
      .set("read-only-descriptor", from.read_only_descriptor);
  return record;
}

void read_scoreboard(const WireRecord& record, HandedOver& to) {
  to.scoreboard = record["path"];
  to.whole_descriptor = record.number<int>("descriptor");
  to.read_only_descriptor = record.number<int>("read-only-descriptor");
}

WireRecord write_control(const HandedOverControl& from) {
  return WireRecord("control")
      .set("descriptor", from.descriptor)
      .set("device", from.device)
      .set("inode", from.inode);
}

void read_control(const WireRecord& record, HandedOver& to) {
  to.control = {.descriptor = record.number<int>("descriptor"),
                .device = record.number<dev_t>("device"),
                .inode = record.number<ino_t>("inode")};
}

WireRecord write_pid_file(const HandedOver& from) {
  WireRecord record("pid-file");
  record.set("path", from.pid_file).set("descriptor", from.pid_file_descriptor);
  return record;
}

void read_pid_file(const WireRecord& record, HandedOver& to) {
  to.pid_file = record["path"];
  to.pid_file_descriptor = record.number<int>("descriptor");
}

WireRecord write_setting(const std::string& name, const Given& given) {
  WireRecord record("setting");
  record.set("name", name).set("where", given.where);
  for (const auto& value : given.values) record.set("value", value);
  return record;
}

void read_setting(const WireRecord& record, HandedOver& to) {
  Given& given = to.settings[record["name"]];
  given.where = record["where"];
  for (const auto& [name, value] : record.fields())
    if (name == "value") given.values.push_back(value);
}

WireRecord write_service(const HandedOverService& from) {
  WireRecord record("service");
  record.set("name", from.name)
      .set("generation", from.generation)
      .set("paused", int{from.paused})
      .set("stopped", int{from.stopped})
      .set("drain-until", to_nanoseconds(from.drain_until));
  return record;
}

void read_service(const WireRecord& record, HandedOver& to) {
  to.services.push_back({.name = record["name"],
                         .generation = record.number<std::uint32_t>("generation"),
                         .paused = is_set(record, "paused"),
                         .stopped = is_set(record, "stopped"),
                         .drain_until = time_of(record, "drain-until"),
                         .listeners = {},
                         .children = {},
                         .detached = {},
                         .on_failure = {},
                         .scaled = {}});
}

WireRecord write_listener(const std::string& service, const HandedOverListener& from) {
  WireRecord record("listener");
  record.set("service", service)
      .set("listen", from.spec.written)
      .set("descriptor", from.descriptor)
      .set("drained", int{from.drained});
  if (from.named) record.set("device", from.device).set("inode", from.inode);
  return record;
}

HandedOverListener read_listener(const WireRecord& record) {
  HandedOverListener listener{.spec = parse_listen(record["listen"]),
                              .descriptor = record.number<int>("descriptor"),
                              .drained = is_set(record, "drained"),
                              .named = record.find("inode") != nullptr};
  if (listener.named) {
    listener.device = record.number<dev_t>("device");
    listener.inode = record.number<ino_t>("inode");
  }
  return listener;
}

WireRecord write_child(const char* kind, const std::string& service, const ChildRecord& from) {
  WireRecord record(kind);
  record.set("service", service)
      .set("pid", from.pid)
      .set("generation", from.generation)
      .set("forked-at", to_nanoseconds(from.forked_at))
      .set("replacement", int{from.replacement})
      .set("told-to-leave", int{from.told_to_leave})
      .set("told-at", to_nanoseconds(from.told_at))
      .set("stopped", int{from.stopped})
      .set("ending", static_cast<int>(from.escalation))
      .set("ending-at", to_nanoseconds(from.escalated_at));
  return record;
}

ChildRecord read_child(const WireRecord& record) {
  const int escalation = record.number<int>("ending");
  if (escalation < 0 || escalation > static_cast<int>(Escalation::lost))
    throw Error("a child's end is unknown");
  return {.pid = record.number<pid_t>("pid"),
          .generation = record.number<std::uint32_t>("generation"),
          .forked_at = time_of(record, "forked-at"),
          .replacement = is_set(record, "replacement"),
          .told_to_leave = is_set(record, "told-to-leave"),
          .told_at = time_of(record, "told-at"),
          .stopped = is_set(record, "stopped"),
          .escalation = static_cast<Escalation>(escalation),
          .escalated_at = time_of(record, "ending-at")};
}

bool is_worth_telling(const FailureHookRun& run) { return run.failures > 0 || run.started != Time::min(); }

WireRecord write_failure_run(const std::string& service, const FailureHookRun& from) {
  WireRecord record("on-failure");
  record.set("service", service)
      .set("pid", from.pid)
      .set("killed", int{from.killed})
      .set("started", to_nanoseconds(from.started))
      .set("failures", from.failures)
      .set("failed-pid", from.last.pid)
      .set("failed-code", from.last.code)
      .set("failed-status", from.last.status);
  if (from.last.slot) record.set("failed-slot", *from.last.slot);
  return record;
}

FailureHookRun read_failure_run(const WireRecord& record) {
  FailureHookRun run{.failures = record.number<unsigned>("failures"),
                     .last = {.slot = {},
                              .pid = record.number<pid_t>("failed-pid"),
                              .code = record.number<int>("failed-code"),
                              .status = record.number<int>("failed-status")},
                     .pid = record.number<pid_t>("pid"),
                     .killed = is_set(record, "killed"),
                     .started = time_of(record, "started")};
  if (record.find("failed-slot") != nullptr) run.last.slot = record.number<std::uint32_t>("failed-slot");
  return run;
}

WireRecord write_scaled(const std::string& service, const std::string& setting, const std::string& value) {
  return WireRecord("scaled").set("service", service).set("setting", setting).set("value", value);
}

HandedOverService& service_of(const WireRecord& record, HandedOver& to) {
  const auto found = std::ranges::find(to.services, record["service"], &HandedOverService::name);
  if (found == to.services.end())
    throw Error(text("record '", record.kind(), "' is of no service that is handed over"));
  return *found;
}

// Those without which nothing can be taken over.
void check_all_told(const Handover& handover) {
  for (const std::string_view kind : {"parent", "scoreboard", "service"})
    if (!has(handover, kind)) throw Error(text("what is handed over lacks the record '", kind, "'"));
}

}  // namespace

Handover to_handover(const HandedOver& inheritance) {
  Handover handover = {write_parent(inheritance), write_scoreboard(inheritance)};
  if (inheritance.pid_file_descriptor >= 0) handover.push_back(write_pid_file(inheritance));
  if (inheritance.control.descriptor >= 0) handover.push_back(write_control(inheritance.control));
  for (const int asker : inheritance.asker_descriptors)
    handover.push_back(WireRecord("asker").set("descriptor", asker));
  for (const auto& [name, given] : inheritance.settings) handover.push_back(write_setting(name, given));
  for (const auto& service : inheritance.services) {
    handover.push_back(write_service(service));
    for (const auto& listener : service.listeners) handover.push_back(write_listener(service.name, listener));
    for (const auto& [slot, child] : service.children)
      handover.push_back(write_child("child", service.name, child).set("slot", slot));
    for (const auto& child : service.detached)
      handover.push_back(write_child("detached", service.name, child));
    if (is_worth_telling(service.on_failure))
      handover.push_back(write_failure_run(service.name, service.on_failure));
    for (const auto& [setting, value] : service.scaled)
      handover.push_back(write_scaled(service.name, setting, value));
  }
  return handover;
}

HandedOver from_handover(const Handover& handover) {
  check_all_told(handover);
  HandedOver to;
  for (const auto& record : handover) {
    const std::string& kind = record.kind();
    if (kind == "parent") read_parent(record, to);
    if (kind == "scoreboard") read_scoreboard(record, to);
    if (kind == "control") read_control(record, to);
    if (kind == "pid-file") read_pid_file(record, to);
    if (kind == "setting") read_setting(record, to);
    if (kind == "service") read_service(record, to);
    if (kind == "listener") service_of(record, to).listeners.push_back(read_listener(record));
    if (kind == "child")
      service_of(record, to).children.push_back({record.number<std::uint32_t>("slot"), read_child(record)});
    if (kind == "detached") service_of(record, to).detached.push_back(read_child(record));
    if (kind == "on-failure") service_of(record, to).on_failure = read_failure_run(record);
    if (kind == "scaled") service_of(record, to).scaled[record["setting"]] = record["value"];
    if (kind == "asker") to.asker_descriptors.push_back(record.number<int>("descriptor"));
    if (kind == "refused") to.refused = record["why"];
  }
  return to;
}

WireRecord rehearsal_record() { return WireRecord("rehearsal"); }

WireRecord former_record(int descriptor) {
  WireRecord record("former");
  record.set("descriptor", descriptor);
  return record;
}

// Also where other records are not understood.
int former_descriptor_of(const Handover& handover) {
  for (const auto& record : handover)
    if (record.kind() == "former") return record.number<int>("descriptor");
  return -1;
}

WireRecord refusal_record(std::string_view why) {
  WireRecord record("refused");
  record.set("why", why);
  return record;
}

bool has(const Handover& handover, std::string_view kind) {
  return std::ranges::any_of(handover, [kind](const WireRecord& record) { return record.kind() == kind; });
}

std::string variable_for(const Descriptor& handover, pid_t heir) {
  return text(std::string_view(parent_variable), '=', tell_handover(handover, heir));
}

}  // namespace brood
