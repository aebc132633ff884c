// SPDX-License-Identifier: MIT
#include "upgrade/takeover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/service_command_settings.hpp"
#include "upgrade/give_back.hpp"
#include "upgrade/upgrade.hpp"

namespace brood {
namespace {

constexpr std::size_t descriptors_needed = 16;  // to take over

void check_service(const HandedOverService& from, const ServiceConfiguration& configuration,
                   const Scoreboard& scoreboard) {
  const auto index = scoreboard.find(from.name);
  if (!index) throw Error(text("service ", from.name, " has no place on the scoreboard"));
  const std::uint32_t slots = scoreboard.service(*index).slot_count;
  const unsigned most = in_effect(configuration).limits.max_clients;
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

void Takeover::configure(ServiceSource& source, CommandLine line) const {
  if (handed_over_) {
    // These can't change while the process lives.
    for (const auto& [name, value] : {std::pair{"name", handed_over_->name},
                                      {"runtime-directory", handed_over_->runtime_directory},
                                      {"pid-file", handed_over_->pid_file}})
      line.settings[name] = {.values = {value}, .where = "the running server"};
  }
  source.take(std::move(line));
  // The files may already be meant for the new program.
  if (given_back()) source.go_by(handed_over_->settings);
}

void Takeover::check(const std::vector<WantedService>& wanted, bool may_be_new) const {
  const Scoreboard scoreboard = open_scoreboard();
  for (const auto& each : wanted) {
    if (!each.configuration) throw ConfigurationError(each.mistakes);
    if (const HandedOverService* const from = find(each.name))
      check_service(*from, *each.configuration, scoreboard);
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
  // If they ran out later, the former program could not go on either.
  std::vector<Descriptor> copies;
  while (copies.size() < descriptors_needed) copies.push_back(share(handed_over_->wake_descriptor));
  std::size_t children = 0;
  for (const auto& service : handed_over_->services) children += service.children.size();
  std::puts(rehearsed_line(handed_over_->services.size(), children).c_str());
}

Scoreboard Takeover::open_scoreboard() const {
  return {{.whole = share(handed_over_->whole_descriptor),
           .read_only = share(handed_over_->read_only_descriptor)},
          handed_over_->scoreboard,
          Side::parent};
}

Descriptor Takeover::share(int descriptor) {
  Descriptor shared(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!shared) throw SystemError(text("take over descriptor ", descriptor), errno);
  return shared;
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
