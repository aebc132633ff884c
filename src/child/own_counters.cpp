// SPDX-License-Identifier: MIT
#include "child/own_counters.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/server_base.hpp"
#include "scoreboard/counter_names.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool may_follow(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

}  // namespace

void Counters::add(Entry entry) {
  constexpr std::size_t longest_name = sizeof(CounterName::name) - 1;
  constexpr std::size_t longest_help = sizeof(CounterName::help) - 1;
  const std::string& name = entry.name;
  const auto refuse = [&](const auto&... why) { throw Error(text("counter '", escape(name), "' ", why...)); };
  if (name.empty() || name.size() > longest_name || !is_letter(name.front()) ||
      !std::ranges::all_of(name, may_follow))
    refuse("needs a name of 1 to ", longest_name, " letters, digits, '-' and '_' that begins with a letter");
  if (entry.help.size() > longest_help) refuse("has a help of more than ", longest_help, " bytes");
  if (std::ranges::any_of(entries_, [&](const Entry& other) { return other.name == name; }))
    refuse("was added already");
  if (entries_.size() == most_counters) refuse("is one too many: there are places for ", most_counters);
  entries_.push_back(std::move(entry));
}

Counters counters_of(ServerBase& server) {
  Counters counters;
  server.add_counters(counters);
  return counters;
}

void publish_counters(ServerBase& server, const Scoreboard& scoreboard) {
  const Counters counters = counters_of(server);
  std::vector<CounterDescription> all;
  for (const auto& entry : counters.all())
    all.push_back({.name = entry.name, .help = entry.help, .gauge = entry.gauge});
  publish_counters(scoreboard.service_orders(), all);
}

void bind(const Counters& counters, const Scoreboard& scoreboard, std::uint32_t slot) {
  for (const auto& entry : counters.all())
    if (const auto place = find_counter(scoreboard.service(), entry.name, entry.gauge))
      entry.cell->bind(&scoreboard.slot(slot).figures.own[*place]);
}

void unbind(const Counters& counters) {
  for (const auto& entry : counters.all()) entry.cell->bind(nullptr);
}

}  // namespace brood
