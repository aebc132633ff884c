// SPDX-License-Identifier: MIT
#include "scoreboard/report/json.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

namespace brood {
namespace {

using Json = nlohmann::ordered_json;

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// The upper end of a bucket; null for the last, which has none.
Json upper_end_of_bucket(std::size_t bucket) {
  return bucket + 1 == latency_buckets ? Json() : Json(std::uint64_t{1} << bucket);
}

Json share(const FiguresSnapshot& figures, double share) {
  const auto latency = figures.latency_at(share);
  return latency.count() == 0 || latency.count() >> (latency_buckets - 1) != 0 ? Json()
                                                                               : Json(latency.count());
}

struct Entry {
  const char* key;
  mutable Json value;  // is moved away: an initializer_list is constant
};

// As the library makes an object of {{key, value}, ...}, which took three times as long: there each pair is
// an array first. A thousand children have 30 pairs each.
Json object(std::initializer_list<Entry> entries) {
  Json json = Json::object();
  auto& all = json.get_ref<Json::object_t&>();
  all.reserve(entries.size());
  for (const Entry& entry : entries) all.emplace_back(entry.key, std::move(entry.value));
  return json;
}

Json to_json(const FiguresSnapshot& figures) {
  Json histogram = Json::array();
  for (std::size_t i = 0; i < latency_buckets; ++i)
    if (figures.latency[i] != 0)
      histogram.push_back(
          {{"under_microseconds", upper_end_of_bucket(i)}, {"connections", figures.latency[i]}});
  return object({{"accepted", figures.accepted},
                 {"finished", figures.finished},
                 {"failed", figures.failed},
                 {"peers_gone", figures.peers_gone},
                 {"timed_out", figures.timed_out},
                 {"probes", figures.probes},
                 {"aborted", figures.aborted},
                 {"early_probes", figures.early_probes},
                 {"refused_proxy", figures.refused_proxy},
                 {"read_bytes", figures.bytes_read},
                 {"written_bytes", figures.bytes_written},
                 {"duration_seconds", seconds(figures.duration)},
                 {"latency", std::move(histogram)}});
}

Json waits_of(const ServiceSnapshot& service) {
  Json histogram = Json::array();
  for (std::size_t i = 0; i < wait_buckets; ++i)
    histogram.push_back(
        {{"under_milliseconds", i + 1 == wait_buckets ? Json() : Json(std::uint64_t{wait_resolution} << i)},
         {"connections", service.waits[i]}});
  return {{"waiting", service.waiting},
          {"most_waiting", service.most_waiting},
          {"longest_wait_milliseconds", service.longest_wait.count()},
          {"wait_milliseconds", service.wait.count()},
          {"waits", histogram}};
}

// Without the seconds in which nothing happened.
Json history_of(const ServiceSnapshot& service) {
  Json all = Json::array();
  for (std::size_t i = 0; i < service.history.size(); ++i) {
    const SecondSnapshot& second = service.history[i];
    if (second.finished + second.aborted + second.most_busy == 0 && second.longest_wait.count() == 0)
      continue;
    all.push_back({{"seconds_ago", service.history.size() - 1 - i},
                   {"finished", second.finished},
                   {"failed", second.failed},
                   {"timed_out", second.timed_out},
                   {"probes", second.probes},
                   {"aborted", second.aborted},
                   {"duration_milliseconds", second.duration.count()},
                   {"longest_wait_milliseconds", second.longest_wait.count()},
                   {"most_busy", second.most_busy}});
  }
  return all;
}

Json to_json(const DecisionSnapshot& decision) {
  return {{"number", decision.number},
          {"seconds_ago", seconds(decision.ago)},
          {"decision", name_of(decision.kind, decision_names)},
          {"count", decision.count},
          {"pid", decision.pid},
          {"slot", decision.slot},
          {"value", decision.value},
          {"word", decision.word},
          {"seen",
           {{"total", decision.total},
            {"starting", decision.starting},
            {"idle", decision.idle},
            {"busy", decision.busy},
            {"leaving", decision.leaving},
            {"outdated", decision.outdated},
            {"waiting", decision.waiting}}},
          {"generation", decision.generation},
          {"limits",
           {{"start_servers", decision.start_servers},
            {"min_spare_servers", decision.min_spare_servers},
            {"max_spare_servers", decision.max_spare_servers},
            {"max_clients", decision.max_clients}}}};
}

Json to_json(const EndSnapshot& end) {
  return {{"number", end.number},
          {"seconds_ago", seconds(end.ago)},
          {"age_seconds", seconds(end.age)},
          {"pid", end.pid},
          {"slot", end.slot},
          {"generation", end.generation},
          {"accepted", end.accepted},
          {"finished", end.finished},
          {"started_by", end.started_by},
          {"told_by", end.told_by},
          {"reason", name_of(end.reason)},
          {"failed", end.failed},
          {end.by_signal ? "signal" : "exit_code", end.status}};
}

template <typename Entry>
Json all_to_json(const std::vector<Entry>& entries) {
  Json all = Json::array();
  for (const Entry& entry : entries) all.push_back(to_json(entry));
  return all;
}

Json busy_times_of(const ServiceSnapshot& service) {
  Json all = Json::array();
  for (const auto time : service.busy_times) all.push_back(seconds(time));
  return all;
}

Json to_json(const SlotSnapshot& slot) {
  const auto state = slot_state_names[static_cast<std::size_t>(slot.state)];
  if (slot.state == SlotState::empty)
    return object({{"slot", slot.index}, {"state", state}, {"incarnation", slot.incarnation}});
  return object({{"slot", slot.index},
                 {"state", state},
                 {"incarnation", slot.incarnation},
                 {"pid", slot.pid},
                 {"generation", slot.generation},
                 {"asks", slot.asks},
                 {"stopped", slot.stopped},
                 {"started_by", slot.started_by},
                 {"told_by", slot.told_by},
                 {"reason", name_of(slot.reason)},
                 {"torn", slot.torn},
                 {"age_seconds", seconds(slot.age)},
                 {"spare", slot.spare},
                 {"open_connections", slot.open_connections},
                 {"uncounted", slot.uncounted},
                 {"capacity", slot.capacity},
                 {"busy_for_seconds", seconds(slot.busy_for)},
                 {"listener", slot.listener},
                 {"peer", slot.peer},
                 {"note", slot.note},
                 {"private_bytes", slot.private_memory},
                 {"cpu_seconds", seconds(slot.cpu)},
                 {"descriptors", slot.descriptors},
                 {"figures", to_json(slot.figures)}});
}

Json to_json(const ServiceSnapshot& service) {
  Json slots = Json::array();
  for (const auto& slot : service.slots) slots.push_back(to_json(slot));
  Json total = to_json(service.total);
  total["latency_p50_under_microseconds"] = share(service.total, 0.5);
  total["latency_p90_under_microseconds"] = share(service.total, 0.9);
  total["latency_p99_under_microseconds"] = share(service.total, 0.99);
  Json counters = Json::object(), refused = Json::object(), ended = Json::object();
  for (std::size_t cause = 0; cause < service.children_ended.size(); ++cause)
    ended[std::string(end_cause_names[cause])] = service.children_ended[cause];
  for (std::size_t by = 0; by < service.refused.size(); ++by)
    refused[std::string(refused_by_names[by])] = service.refused[by];
  for (const auto& counter : service.counters) counters[counter.name] = counter.value;
  return {{"name", service.name},
          {"listeners", service.listeners},
          {"state", name_of(service.state)},
          {"scaled", service.scaled},
          {"counts_connections", service.counts_connections},
          {"generation", service.generation},
          {"limits",
           {{"start_servers", service.start_servers},
            {"min_spare_servers", service.min_spare_servers},
            {"max_spare_servers", service.max_spare_servers},
            {"max_clients", service.max_clients},
            {"max_requests_per_child", service.max_requests_per_child}}},
          {"children",
           {{"total", service.children()},
            {"starting", service.starting},
            {"idle", service.idle},
            {"busy", service.busy},
            {"spare", service.spare},
            {"leaving", service.leaving},
            {"stopped", service.stopped},
            {"lost", service.lost},
            {"detached", service.detached},
            {"started_ever", service.children_started},
            {"gone_ever", service.children_gone},
            {"failed_ever", service.children_failed},
            {"ended_by", ended}}},
          {"empty_slots", service.empty},
          {"open_connections", service.open_connections},
          {"uncounted", service.uncounted},
          {"at_max_clients", service.at_max_clients},
          {"max_clients_reached", service.max_clients_reached},
          {"connection_timeouts", service.connection_timeouts},
          {"refused", refused},
          {"throttled_for_seconds", seconds(service.throttled_for)},
          {"lock", {{"recoveries", service.recoveries}, {"repairs", service.repairs}}},
          {"slots_add_up", slots_add_up(service)},
          {"connections_add_up", connections_add_up(service)},
          {"total", total},
          {"counters", counters},
          {"queue", waits_of(service)},
          {"most_busy", service.most_busy},
          {"busy_seconds", busy_times_of(service)},
          {"history", history_of(service)},
          {"decisions", all_to_json(service.decisions)},
          {"ends", all_to_json(service.ends)},
          {"warns",
           {{"failed_warning", service.failed_warning},
            {"failed_critical", service.failed_critical},
            {"wait_warning_milliseconds", service.wait_warning.count()},
            {"wait_critical_milliseconds", service.wait_critical.count()}}},
          {"slots", slots}};
}

// Of the keys and their meanings. A key that is new does not change it.
constexpr int json_version = 1;

std::string dump(const Json& json, JsonLines lines = JsonLines::many) {
  return json.dump(lines == JsonLines::many ? 2 : -1, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string to_json(const Snapshot& snapshot, const Verdict& verdict, const std::string& path,
                    JsonLines lines) {
  Json problems = Json::array();
  for (const auto& problem : verdict.problems)
    problems.push_back({{"level", name_of(problem.level)}, {"text", problem.sentence()}});
  Json services = Json::array();
  for (const auto& service : snapshot.services) services.push_back(to_json(service));
  const std::string state = snapshot.parent_state == '\0' ? "" : std::string(1, snapshot.parent_state);
  const Json json = {{"version", json_version},
                     {"name", snapshot.name},
                     {"scoreboard", path},
                     {"verdict", name_of(verdict.level)},
                     {"problems", problems},
                     {"parent",
                      {{"pid", snapshot.parent_pid},
                       {"alive", snapshot.parent_alive},
                       {"state", state},
                       {"stopping", snapshot.stopping},
                       {"draining", snapshot.draining},
                       {"age_seconds", seconds(snapshot.age)},
                       {"upgrades", snapshot.upgrades}}},
                     {"services", services}};
  return dump(json, lines);
}

std::string list_as_json(const Snapshot& snapshot) {
  Json services = Json::array();
  for (const auto& service : snapshot.services) {
    Json all = to_json(service);
    for (const auto* part : {"slots", "history", "decisions", "ends"}) all.erase(part);
    services.push_back(all);
  }
  return dump({{"name", snapshot.name}, {"services", services}});
}

std::string to_json(const std::string& order, std::span<const WireRecord> answer) {
  // These fields are numbers. All others are text, even if they look like a number.
  constexpr std::array numbers = {"generation",  "children", "before", "gone", "milliseconds",
                                  "connections", "lost",     "pid",    "code"};
  Json told = Json::array();
  for (const WireRecord& record : answer) {
    Json json = {{"kind", record.kind()}};
    for (const auto& [name, value] : record.fields())
      if (std::ranges::find(numbers, name) == numbers.end())
        json[name] = value;
      else
        json[name] = record.number<std::uint64_t>(name);
    told.push_back(json);
  }
  Json done = told.back();
  told.erase(told.size() - 1);
  return dump({{"order", order}, {"code", done["code"]}, {"message", done["message"]}, {"answer", told}});
}

}  // namespace brood
