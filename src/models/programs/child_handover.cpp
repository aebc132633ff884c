// SPDX-License-Identifier: MIT
#include "models/programs/child_handover.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

// To be raised when one of the records below changes.
constexpr unsigned record_version = 7;

constexpr std::array<std::string_view, 3> trigger_names = {"timer", "line", "byte"};

// The users that rules name are known by their numbers: the program may run in another root directory.
void add_admission(const AdmissionSettings& admission, WireRecord& record) {
  std::string rules;
  for (AccessRule rule : admission.rules) {
    rule.user_name.clear();
    rules += (rules.empty() ? "" : ";") + rule.written();
  }
  record.set("rules", rules).set("most-connections-per-client", admission.most_connections);
  record.set("client-rate", write_client_rate(admission.rate)).set("client-burst", admission.burst);
  record.set("client-prefix-ipv4", admission.ipv4_prefix);
  record.set("client-prefix-ipv6", admission.ipv6_prefix);
  record.set("refuses-on-overload", admission.on_overload == OnOverload::refuse ? 1 : 0);
  record.set("refusal", admission.refusal);
}

AdmissionSettings read_admission(const WireRecord& record) {
  AdmissionSettings admission;
  if (const std::string& rules = record["rules"]; !rules.empty())
    for (const auto rule : split(rules, ';')) admission.rules.push_back(parse_access_rule(rule));
  admission.compiled = std::make_shared<const AccessRules>(admission.rules);
  admission.most_connections = record.number<unsigned>("most-connections-per-client");
  admission.rate = parse_client_rate(record["client-rate"]);
  admission.burst = record.number<unsigned>("client-burst");
  admission.ipv4_prefix = record.number<unsigned>("client-prefix-ipv4");
  admission.ipv6_prefix = record.number<unsigned>("client-prefix-ipv6");
  if (record.number<int>("refuses-on-overload") != 0) admission.on_overload = OnOverload::refuse;
  admission.refusal = record["refusal"];
  return admission;
}

WireRecord child_record(const ChildSetup& setup, const MappingDescriptors& table) {
  WireRecord record("child");
  record.set("version", record_version).set("service", setup.scoreboard->service().name.data());
  record.set("slot", setup.slot).set("parent", setup.parent);
  record.set("wake-descriptor", setup.scoreboard->wake_descriptor());
  record.set("descriptor", table.whole.get()).set("read-only-descriptor", table.read_only.get());
  record.set("threads", setup.limits.threads).set("connections", setup.limits.connections);
  record.set("connection-timeout", setup.limits.connection_timeout.count());
  record.set("idle-timeout", setup.limits.idle_timeout.count());
  record.set("first-byte-timeout", setup.limits.first_byte_timeout.count());
  record.set("proxy-from", join(setup.proxy->from, " ")).set("proxy-timeout", setup.proxy->timeout.count());
  if (setup.process.titles) record.set("process-titles", 1);
  record.set("access-log", setup.access_log.path);
  record.set("access-log-json", setup.access_log.format == AccessLogFormat::json ? 1 : 0);
  if (setup.admission != nullptr && setup.admission->decides()) add_admission(*setup.admission, record);
  return record;
}

WireRecord listener_record(const ChildListener& listener) {
  WireRecord record("listener");
  record.set("descriptor", listener.descriptor).set("name", listener.name);
  record.set("wakes-all", listener.wakes_all ? 1 : 0).set("proxy", listener.proxy ? 1 : 0);
  if (listener.trigger) record.set("trigger", name_of(*listener.trigger, trigger_names));
  return record;
}

WireRecord log_record(const LogTarget& log, std::uint32_t epoch) {
  WireRecord record("log");
  record.set("name", log.name).set("to", log.to).set("level", static_cast<int>(log.level));
  record.set("owner", log.owner).set("epoch", epoch);
  record.set("json", log.format == LogFormat::json ? 1 : 0);
  record.set("facility", log.facility).set("identity", log.identity);
  if (log.descriptor >= 0) record.set("descriptor", log.descriptor);
  if (log.channel_descriptor >= 0) record.set("channel-descriptor", log.channel_descriptor);
  return record;
}

}  // namespace

Descriptor hand_over_child(const ChildSetup& setup, const MappingDescriptors& table) {
  const LogTarget log = log_in_use();
  Handover handover = {child_record(setup, table), log_record(log, seen_log_epoch())};
  for (const auto& listener : setup.listeners) handover.push_back(listener_record(listener));
  for (const int descriptor : descriptors_of(handover)) keep_over_exec(descriptor);
  return write_handover(handover);
}

ReceivedChild::ReceivedChild(const Handover& handover) {
  try {
    read(handover);
  } catch (const ConfigurationError& error) {
    throw ConfigurationError(text("take over a child's slot: ", std::string_view(error.what()),
                                  "; build this program with the parent's version"));
  } catch (const Error& error) {
    throw ConfigurationError(text("take over a child's slot: ", std::string_view(error.what())));
  }
}

void ReceivedChild::read(const Handover& handover) {
  // The log first, because errors are reported there.
  for (const auto& record : handover)
    if (record.kind() == "log") read_log(record);
  for (const auto& record : handover) {
    if (record.kind() == "child") read_child(record);
    if (record.kind() == "listener") read_listener(record);
  }
  if (!scoreboard_ || listeners_.empty()) throw Error("there is no slot, or no listener");
}

void ReceivedChild::read_log(const WireRecord& record) {
  log_.name = record["name"];
  log_.to = record["to"];
  const int level = record.number<int>("level");
  if (level >= static_cast<int>(LogLevel::debug) && level <= static_cast<int>(LogLevel::error))
    log_.level = static_cast<LogLevel>(level);
  log_.owner = record.number<uid_t>("owner");
  if (record.find("descriptor") != nullptr)  // open_log() owns it
    log_.descriptor = receive_descriptor(record.number<int>("descriptor")).release();
  if (record.find("channel-descriptor") != nullptr)
    log_.channel_descriptor = receive_descriptor(record.number<int>("channel-descriptor")).release();
  if (const std::string* json = record.find("json"); json != nullptr && *json != "0")
    log_.format = LogFormat::json;
  log_.facility = record["facility"];
  log_.identity = record["identity"];
  log_epoch_ = record.number<std::uint32_t>("epoch");
  open_log(log_);
}

void ReceivedChild::read_child(const WireRecord& record) {
  const auto version = record.number<unsigned>("version");
  if (version != record_version)
    throw ConfigurationError(text("the parent wrote version ", version,
                                  " of it, and this program reads version ", record_version));
  service_ = record["service"];
  set_log_service(service_);
  slot_ = record.number<std::uint32_t>("slot");
  parent_ = record.number<pid_t>("parent");
  limits_.threads = record.number<unsigned>("threads");
  limits_.connections = record.number<unsigned>("connections");
  limits_.connection_timeout = milliseconds(record.number<milliseconds::rep>("connection-timeout"));
  limits_.idle_timeout = milliseconds(record.number<milliseconds::rep>("idle-timeout"));
  limits_.first_byte_timeout = milliseconds(record.number<milliseconds::rep>("first-byte-timeout"));
  proxy_.from = {record["proxy-from"]};
  proxy_.timeout = milliseconds(record.number<milliseconds::rep>("proxy-timeout"));
  process_.titles = record.find("process-titles") != nullptr;
  access_log_.path = record["access-log"];
  if (record.number<int>("access-log-json") != 0) access_log_.format = AccessLogFormat::json;
  if (record.find("rules") != nullptr) admission_ = read_admission(record);
  MappingDescriptors table{.whole = receive_descriptor(record.number<int>("descriptor")),
                           .read_only = receive_descriptor(record.number<int>("read-only-descriptor"))};
  scoreboard_.emplace(std::move(table), receive_descriptor(record.number<int>("wake-descriptor")), "",
                      Side::child);
  if (slot_ >= scoreboard_->slots()) throw Error("the slot is not on the scoreboard");
}

void ReceivedChild::read_listener(const WireRecord& record) {
  ChildListener listener{.descriptor = record.number<int>("descriptor"), .name = record["name"]};
  listener.wakes_all = record.number<int>("wakes-all") != 0;
  listener.proxy = record.number<int>("proxy") != 0;
  if (const std::string* trigger = record.find("trigger"))
    for (std::size_t kind = 0; kind < trigger_names.size(); ++kind)
      if (trigger_names[kind] == *trigger) listener.trigger = static_cast<TriggerKind>(kind);
  descriptors_.push_back(receive_descriptor(listener.descriptor));
  listeners_.push_back(std::move(listener));
}

ChildSetup ReceivedChild::setup() const {
  return {.server = nullptr,
          .scoreboard = &*scoreboard_,
          .slot = slot_,
          .listeners = listeners_,
          .identity = {},
          .no_new_privileges = false,  // the forked process has seen to that
          .takes_identity = false,
          .parent = parent_,
          .limits = limits_,
          .process = process_,
          .access_log = access_log_,
          .admission = &admission_,
          .proxy = &proxy_};
}

}  // namespace brood
