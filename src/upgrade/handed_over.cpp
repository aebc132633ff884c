// SPDX-License-Identifier: MIT
// One list of records and their fields (records_of() and fields_of_…()) serves both directions: with a Writer
// it appends records, with a Reader it fills in what they say. Programs of other versions read these records:
// their words stay, even if the code has other names.
#include "upgrade/handed_over.hpp"

#include <algorithm>
#include <csignal>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "upgrade/give_back.hpp"
#include "upgrade/handed_over_fields.hpp"

namespace brood {
namespace {

// ---- the fields of one record

void fields_of_parent(auto& fields, auto& of) {
  fields("name", of.name);
  fields("runtime-directory", of.runtime_directory);
  fields("program", of.program);
  fields("ready", of.ready);
  fields("told-not-ready", of.reported_not_ready);
  fields("scoreboard", of.scoreboard);
  fields.unless(-1, "report-descriptor", of.report_descriptor);
}

void fields_of_service(auto& fields, auto& of) {
  fields("name", of.name);
  fields("generation", of.generation);
  fields("paused", of.paused);
  fields("stopped", of.stopped);
  fields("drain-until", of.drain_until);
}

void fields_of_scoreboard(auto& fields, auto& of) {
  fields("path", of.path);
  fields("descriptor", of.whole_descriptor);
  fields("read-only-descriptor", of.read_only_descriptor);
  fields("wake-descriptor", of.wake_descriptor);
}

void fields_of_log_channel(auto& fields, auto& of) {
  fields("sender-descriptor", of.sender);
  fields("receiver-descriptor", of.receiver);
}

void fields_of_listener(auto& fields, auto& of) {
  fields("listen", of.spec);
  fields("descriptor", of.descriptor);
  fields("drained", of.drained);
  if (!fields.present("inode", of.named)) return;
  fields("device", of.device);
  fields("inode", of.inode);
}

void fields_of_child(auto& fields, auto& of) {
  fields("pid", of.pid);
  fields("generation", of.generation);
  fields("forked-at", of.forked_at);
  fields("replacement", of.replacement);
  fields("told-to-leave", of.told_to_leave);
  fields("told-at", of.leaving_since);
  fields("stopped", of.stopped);
  fields("ending", of.escalation);
  fields("ending-at", of.escalated_at);
  fields.unless(Time{}, "ready-at", of.ready_at);
  fields.unless(false, "proven", of.proven);
  fields.unless(Time{}, "slow-since", of.slow_since);
  fields.unless(SIGTERM, "leave-signal", of.signals.leave);
  fields.unless(false, "leads-group", of.signals.group);
}

void fields_of_failure_run(auto& fields, auto& of) {
  fields("pid", of.pid);
  fields("killed", of.killed);
  fields("started", of.started);
  fields("failures", of.failures);
  fields("failed-pid", of.last.pid);
  fields("failed-code", of.last.code);
  fields("failed-status", of.last.status);
  fields.unless(std::optional<std::uint32_t>(), "failed-slot", of.last.slot);
}

void fields_of_throttle(auto& fields, auto& of) {
  fields("delay", of.delay);
  fields("may-start", of.may_start);
  fields("children-fail", of.children_fail);
}

void fields_of_figures(auto& fields, auto& of) {
  fields("since", of.since);
  fields("quiet", of.quiet);
  fields("accepted", of.activity.accepted);
  fields("ended", of.activity.ended);
  fields("children-started", of.activity.children_started);
  fields("children-gone", of.activity.children_gone);
  fields("any-open", of.activity.any_open);
}

const ServiceSnapshot& present(const std::optional<ServiceSnapshot>& of) { return *of; }
ServiceSnapshot& present(std::optional<ServiceSnapshot>& of) { return of.emplace(); }

// What a line of figures compares.
void fields_of_counted(auto& fields, auto& of) {
  fields("accepted", of.total.accepted);
  fields("finished", of.total.finished);
  fields("failed", of.total.failed);
  fields("timed-out", of.total.timed_out);
  fields("aborted", of.total.aborted);
  fields("refused-proxy", of.total.refused_proxy);
  fields("children-started", of.children_started);
  fields("children-gone", of.children_gone);
  fields("children-failed", of.children_failed);
  fields.numbers("refused", of.refused);
  fields.numbers("waits", of.waits);
  fields.numbers("durations", of.total.latency);
}

void fields_of_output(auto& fields, auto& of) {
  fields("read-descriptor", of.read_descriptor);
  fields("write-descriptor", of.write_descriptor);
  fields.unless(std::uint64_t{0}, "lost", of.lost);
}

void fields_of_part(auto& fields, auto& of) {
  fields("pid", of.writer);
  fields("text", of.text);
  fields("cut", of.cut);
  fields("since", of.since);
}

void fields_of_sandbox(auto& fields, auto& of) {
  fields("descriptor", of.descriptor);
  fields("child", of.child);
  fields("forbids", of.forbids);
}

constexpr auto fields_of_given = [](auto& fields, auto& given) {
  fields("where", given.where);
  fields.each("value", given.values);
};

// ---- all records

class Writer {
 public:
  explicit Writer(Handover& to, const std::string* service = nullptr) : to_(to), service_(service) {}

  void one(const char* kind, bool present, const auto& fields_of) {
    if (!present) return;
    WireRecord& record = to_.emplace_back(kind);
    if (service_ != nullptr) record.set("service", *service_);
    FieldWriter fields{record};
    fields_of(fields);
  }
  void each(const char* kind, const auto& list, const auto& fields_of) {
    for (const auto& element : list) one(kind, true, [&](auto& fields) { fields_of(fields, element); });
  }
  template <typename Value>
  void each_named(const char* kind, const char* key, const std::map<std::string, Value>& map,
                  const auto& fields_of) {
    for (const auto& [name, value] : map)
      one(kind, true, [&](auto& fields) {
        fields(key, name);
        fields_of(fields, value);
      });
  }
  Writer of(const HandedOverService& service) { return Writer(to_, &service.name); }

 private:
  Handover& to_;
  const std::string* service_;  // nullptr: the records are of no service
};

class Reader {
 public:
  Reader(const Handover& from, const HandedOver& to, const std::string* service = nullptr)
      : from_(from), to_(to), service_(service) {}

  void one(const char* kind, bool /*present*/, const auto& fields_of) {
    for (const auto& record : from_) {
      if (record.kind() != kind || !is_of_service(record)) continue;
      FieldReader fields{record};
      fields_of(fields);
    }
  }
  void each(const char* kind, auto& list, const auto& fields_of) {
    one(kind, true, [&](auto& fields) { fields_of(fields, list.emplace_back()); });
  }
  template <typename Value>
  void each_named(const char* kind, const char* key, std::map<std::string, Value>& map,
                  const auto& fields_of) {
    one(kind, true, [&](auto& fields) { fields_of(fields, map[fields.record[key]]); });
  }
  Reader of(const HandedOverService& service) { return {from_, to_, &service.name}; }

 private:
  bool is_of_service(const WireRecord& record) const {
    if (service_ == nullptr) return true;
    const std::string& name = record["service"];
    if (std::ranges::find(to_.services, name, &HandedOverService::name) == to_.services.end())
      throw Error(text("record '", record.kind(), "' is of no service that is handed over"));
    return name == *service_;
  }

  const Handover& from_;
  const HandedOver& to_;
  const std::string* service_;
};

void records_of_service(auto records, auto& of) {
  records.one("scoreboard", true, [&](auto& fields) { fields_of_scoreboard(fields, of.scoreboard); });
  records.each("listener", of.listeners, [](auto& fields, auto& each) { fields_of_listener(fields, each); });
  records.each("child", of.children, [](auto& fields, auto& each) {
    fields("slot", each.slot);
    fields_of_child(fields, each.record);
  });
  records.each("detached", of.detached, [](auto& fields, auto& each) { fields_of_child(fields, each); });
  records.one("service-log-channel", of.log_channel.receiver >= 0,
              [&](auto& fields) { fields_of_log_channel(fields, of.log_channel); });
  const bool has_failed = of.on_failure.failures > 0 || of.on_failure.started != Time::min();
  records.one("on-failure", has_failed, [&](auto& fields) { fields_of_failure_run(fields, of.on_failure); });
  records.one("throttle", of.throttle.delay != Clock::duration::zero(),
              [&](auto& fields) { fields_of_throttle(fields, of.throttle); });
  records.one("figures", of.figures.before.has_value(),
              [&](auto& fields) { fields_of_figures(fields, of.figures); });
  records.one("figures-before", of.figures.before.has_value(),
              [&](auto& fields) { fields_of_counted(fields, present(of.figures.before)); });
  records.one("output", of.output.read_descriptor >= 0,
              [&](auto& fields) { fields_of_output(fields, of.output); });
  records.one("notices", of.notify_descriptor >= 0,
              [&](auto& fields) { fields("descriptor", of.notify_descriptor); });
  records.one("sandbox-channel", of.sandboxes.receiver_descriptor >= 0, [&](auto& fields) {
    fields("receiver-descriptor", of.sandboxes.receiver_descriptor);
    fields("sender-descriptor", of.sandboxes.sender_descriptor);
  });
  records.each("sandbox", of.sandboxes.sandboxes,
               [](auto& fields, auto& each) { fields_of_sandbox(fields, each); });
  records.each("output-part", of.output.parts,
               [](auto& fields, auto& each) { fields_of_part(fields, each); });
  records.each_named("service-setting", "name", of.settings, fields_of_given);
  records.each_named("scaled", "setting", of.scaled,
                     [](auto& fields, auto& value) { fields("value", value); });
}

void records_of(auto& records, auto& of) {
  records.one("parent", true, [&](auto& fields) { fields_of_parent(fields, of); });
  records.one("server-file", of.server_file.whole_descriptor >= 0,
              [&](auto& fields) { fields_of_scoreboard(fields, of.server_file); });
  records.one("pid-file", of.pid_file_descriptor >= 0, [&](auto& fields) {
    fields("path", of.pid_file);
    fields("descriptor", of.pid_file_descriptor);
  });
  records.one("lock-file", of.name_descriptor >= 0,
              [&](auto& fields) { fields("descriptor", of.name_descriptor); });
  records.one("control", of.control.descriptor >= 0, [&](auto& fields) {
    fields("descriptor", of.control.descriptor);
    fields("device", of.control.device);
    fields("inode", of.control.inode);
  });
  records.one("log-channel", of.log_channel.receiver >= 0,
              [&](auto& fields) { fields_of_log_channel(fields, of.log_channel); });
  records.each("asker", of.asker_descriptors,
               [](auto& fields, auto& descriptor) { fields("descriptor", descriptor); });
  records.each("inherited", of.inherited_descriptors,
               [](auto& fields, auto& descriptor) { fields("descriptor", descriptor); });
  records.each("status-listener", of.status_listeners,
               [](auto& fields, auto& each) { fields_of_listener(fields, each); });
  records.each_named("setting", "name", of.settings, fields_of_given);
  records.one(refused_kind, !of.refused.empty(), [&](auto& fields) { fields("why", of.refused); });
  records.each("service", of.services, [](auto& fields, auto& each) { fields_of_service(fields, each); });
  for (auto& service : of.services) records_of_service(records.of(service), service);
}

}  // namespace

HandedOverScoreboard HandedOverScoreboard::of(const Scoreboard& scoreboard, std::string path) {
  return {.path = std::move(path),
          .whole_descriptor = scoreboard.descriptors().whole.get(),
          .read_only_descriptor = scoreboard.descriptors().read_only.get(),
          .wake_descriptor = scoreboard.wake_descriptor()};
}

Handover to_handover(const HandedOver& from) {
  Handover handover;
  Writer records(handover);
  records_of(records, from);
  return handover;
}

HandedOver from_handover(const Handover& handover) {
  for (const char* const kind : {"parent", "scoreboard", "service"})
    if (!has(handover, kind))
      throw Error(text("what is handed over lacks the record '", std::string_view(kind), "'"));
  HandedOver to;
  Reader records(handover, to);
  records_of(records, to);
  return to;
}

bool has(const Handover& handover, std::string_view kind) {
  return std::ranges::find(handover, kind, &WireRecord::kind) != handover.end();
}

std::string variable_for(const Descriptor& handover, pid_t reader) {
  return text(std::string_view(parent_variable), '=', handover_address(handover, reader));
}

}  // namespace brood
