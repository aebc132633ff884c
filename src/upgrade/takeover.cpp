// SPDX-License-Identifier: MIT
#include "upgrade/takeover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/address.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "upgrade/give_back.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {
namespace {

constexpr std::size_t descriptors_needed = 16;  // to take over
constexpr std::size_t descriptors_of_scoreboard = 3;

void check_service(const HandedOverService& from, const ServiceConfiguration& configuration,
                   const Scoreboard& scoreboard) {
  const std::uint32_t slots = scoreboard.slots();
  const unsigned most = configuration.limits.max_clients;
  if (most > slots)
    throw ConfigurationError(text("max-clients = ", most, " exceeds the ", slots,
                                  " slots that the scoreboard was made with; more need a restart"));
  for (const auto& child : from.children)
    if (child.slot >= slots || child.record.pid <= 0)
      throw Error(text("a child of service ", from.name, " has no slot on the scoreboard"));
  // Children that can't read them would never take the connections that wait there.
  for (const auto& listener : from.listeners)
    if (const auto brings = listener.spec.brings(); brings && !fits(configuration.model.work, *brings))
      throw ConfigurationError(
          text("listen = ", listener.spec.written, " ", work_mismatch(*brings, configuration.model.work)));
}

Scoreboard open_handed_over(const HandedOverScoreboard& from) {
  return {{.whole = Takeover::share(from.whole_descriptor),
           .read_only = Takeover::share(from.read_only_descriptor)},
          Takeover::share(from.wake_descriptor),
          from.path,
          Side::parent};
}

bool is_handed_over(const HandedOverService* from, const ListenSpec& spec) {
  return from != nullptr &&
         std::ranges::any_of(from->listeners, [&](const auto& known) { return known.serves(spec); });
}

}  // namespace

Takeover::Takeover(int argc, const char* const* argv) : executable_(argc, argv) {
  auto records = read_handover(parent_variable);
  if (!records) return;
  records_ = std::move(*records);
  rehearses_ = has(records_, rehearsal_kind);
  unclaimed_ = descriptors_of(records_);
  // Programs that this one starts get none of them.
  for (const int descriptor : unclaimed_) receive_descriptor(descriptor).release();
  try {
    handed_over_ = from_handover(records_);
  } catch (const Error& error) {
    give_back(error.what());
    throw;
  }
  executable_.continue_as(handed_over_->program);
}

const HandedOverService* Takeover::find(std::string_view service) const {
  const auto found = std::ranges::find(handed_over_->services, service, &HandedOverService::name);
  return found == handed_over_->services.end() ? nullptr : &*found;
}

WantedSettings Takeover::read(ServiceSource& source, CommandLine line) const {
  if (handed_over_) {
    // These can't change while the process lives.
    for (const auto& [name, value] : {std::pair{"name", handed_over_->name},
                                      {"runtime-directory", handed_over_->runtime_directory},
                                      {"pid-file", handed_over_->pid_file}})
      line.settings[name] = {.values = {value}, .where = "the running server"};
  }
  source.take(std::move(line));
  InForce nothing;
  nothing.rehearsed = handed_over_.has_value();
  if (!given_back()) return source.read(nothing);
  // The files may already be meant for the new program.
  std::vector<std::pair<std::string, ServiceLayers>> services;
  for (const auto& each : handed_over_->services)
    services.push_back({each.name, {.given = each.settings, .scaled = each.scaled, .were_in_force = true}});
  return source.restore(handed_over_->settings, services);
}

void Takeover::check(const std::vector<WantedService>& wanted, bool may_be_new) const {
  for (const auto& each : wanted) {
    if (!each.configuration) throw ConfigurationError(each.mistakes);
    if (const HandedOverService* const from = find(each.name))
      check_service(*from, *each.configuration, open_handed_over(from->scoreboard));
    else if (!may_be_new)
      throw ConfigurationError(
          text("service ", each.name, " is not one of the running server's; that needs a restart"));
  }
  for (const auto& service : handed_over_->services)
    if (std::ranges::find(wanted, service.name, &WantedService::name) == wanted.end())
      throw ConfigurationError(text("the running server's service ", service.name,
                                    " is none of this program; that needs a ",
                                    may_be_new ? "reload first" : "restart"));
}

void Takeover::rehearse(const std::vector<WantedService>& wanted, bool may_be_new) const {
  check(wanted, may_be_new);
  // A name server or a disk that hangs is found out here, and not by the next parent.
  for (const auto& each : wanted)
    for (const auto& spec : each.configuration->listen_specs)
      if (!is_handed_over(find(each.name), spec)) try_to_resolve(spec);
  // If they ran out later, the former program could not go on either.
  std::vector<Descriptor> copies;
  std::size_t children = 0;
  std::size_t needed = descriptors_needed + descriptors_of_scoreboard * handed_over_->services.size();
  for (const auto& service : handed_over_->services) {
    children += service.children.size();
    if (service.sandboxes.receiver_descriptor >= 0) ++needed;  // to watch them all
  }
  while (copies.size() < needed) copies.push_back(share(STDERR_FILENO));
  std::puts(rehearsed_line(handed_over_->services.size(), children).c_str());
}

Scoreboard Takeover::open_scoreboard(std::string_view service) const {
  return open_handed_over(find(service)->scoreboard);
}

std::optional<Scoreboard> Takeover::open_server_file() const {
  if (handed_over_->server_file.whole_descriptor < 0) return {};
  return open_handed_over(handed_over_->server_file);
}

ServerFacts Takeover::server_facts() const {
  if (const auto file = open_server_file()) return file->server_facts();
  if (handed_over_->services.empty()) throw Error("what is handed over has no service");
  return open_handed_over(handed_over_->services.front().scoreboard).server_facts();
}

Descriptor Takeover::share(int descriptor) {
  Descriptor shared(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!shared) throw SystemError(text("take over descriptor ", descriptor), errno);
  return shared;
}

void Takeover::claim_log_channel(LogChannel* to, const LogChannelDescriptors& left) {
  if (to != nullptr && left.receiver >= 0) *to = LogChannel(claim(left.sender), claim(left.receiver));
}

Descriptor Takeover::claim(int descriptor) {
  std::erase(unclaimed_, descriptor);
  return Descriptor(descriptor);
}

void Takeover::accept() {
  for (const int descriptor : unclaimed_) ::close(descriptor);
  unclaimed_.clear();
  records_.clear();
}

void Takeover::give_back(std::string_view why) {
  if (!rehearses_) brood::give_back(executable_, records_, why);
}

}  // namespace brood
