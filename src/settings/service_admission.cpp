// SPDX-License-Identifier: MIT
#include "settings/service_admission.hpp"

#include <array>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr unsigned most_per_client = 1'000'000;
constexpr unsigned longest_queue = 65'535;

SettingType<AccessRule> rule_type() {
  return {.kind = "client",
          .read = [](const std::string& word) { return parse_access_rule(word); },
          .write = [](const AccessRule& rule) { return rule.written(); }};
}

SettingType<ClientRate> rate_type() {
  return {.kind = "number and /s, /min or /h", .read = parse_client_rate, .write = write_client_rate};
}

// "": the service can decide who comes in.
std::string_view why_not(const ServiceConfiguration& service) {
  if (service.model.command && service.command.gets() == CommandGets::listeners)
    return "has no effect: with command-gets = listeners the program accepts connections itself";
  if (service.model.work == WorkKind::triggers) return "has no effect: triggers have no clients";
  return "";
}

void find_users(AdmissionSettings& admission, bool datagrams, SettingsReader& reader) {
  for (std::size_t i = 0; i < admission.rules.size(); ++i) {
    AccessRule& rule = admission.rules[i];
    if (rule.kind != AccessRule::Kind::user) continue;
    const std::string_view name = rule.allows ? "allow" : "deny";
    if (datagrams)
      reader.blame("allow", text(name, " names a user: the users of datagrams are not known"), i);
    if (!rule.user_name.empty()) try {
        rule.user = find_identity(rule.user_name, "").user;
      } catch (const Error& error) {
        reader.blame("allow", text(name, " = user:", rule.user_name, ": ", std::string_view(error.what())),
                     i);
      }
  }
}

void check_overload(const AdmissionSettings& admission, bool datagrams, SettingsReader& reader) {
  const bool refuses = admission.on_overload == OnOverload::refuse;
  if (refuses && datagrams)
    reader.blame("overload",
                 "overload = refuse has no effect: the length of a queue of datagrams is not known");
  if (!refuses && admission.overload_queue != 0)
    reader.blame("overload-queue",
                 text("overload-queue = ", admission.overload_queue, " needs overload = refuse"));
}

}  // namespace

void add_admission_settings(Settings& settings, AdmissionSettings& admission) {
  settings.section("Who comes in");
  settings.list(
      "allow", admission.rules, rule_type(),
      "Clients that may come in: a network like 192.0.2.0/24 or 2001:db8::/32, an address, 'all', or, for "
      "unix sockets, 'unix' for every client, user:NAME or uid:N. The rules of allow and deny apply in the "
      "order of the file, and the first one that matches decides. If none does, the client is refused if "
      "there is any allow, and may come in if there is none. An IPv4 address that IPv6 has mapped counts as "
      "IPv4.");
  settings
      .list("deny", admission.rules, rule_type(),
            "Clients that are refused, as for allow. Rules of allow or deny in a file or on the command line "
            "replace those of both that it inherits. In the environment those of deny come first.")
      .in_list = "allow";
  settings.number("max-connections-per-client", admission.most_connections, 0, most_per_client,
                  "How many connections a client may have at once, with all children together. 0: no limit. "
                  "All clients of a unix socket count as one for each user.");
  settings.value(
      "client-rate", admission.rate, rate_type(),
      "How many connections a client may begin in a time, as 10/s, 100/min or 1000/h. 0: no limit.");
  settings.number(
      "client-burst", admission.burst, 0, most_per_client,
      "How many connections a client that was quiet may begin at once, before client-rate applies. "
      "0: the number of client-rate.");
  settings.number("client-prefix-ipv4", admission.ipv4_prefix, 1, 32,
                  "IPv4 addresses with so many equal bits are one client.");
  settings.number("client-prefix-ipv6", admission.ipv6_prefix, 1, 128,
                  "IPv6 addresses with so many equal bits are one client.");
  settings.choice(
      "overload", admission.on_overload, {{"wait", OnOverload::wait}, {"refuse", OnOverload::refuse}},
      "What becomes of connections while max-clients children are busy and those in the queue will wait for "
      "a tenth of a second or longer. wait: they stay there. refuse: whenever a child comes free, it refuses "
      "those that have waited longest, until overload-queue are left, and serves the next.");
  settings.number(
      "overload-queue", admission.overload_queue, 0, longest_queue,
      "How many connections overload = refuse leaves in the queue. 0: as many as all children can "
      "have at once.");
  settings.text(
      "refusal", admission.refusal_written,
      "What a refused client is sent before its connection is closed, with \\r, \\n, \\t and \\\\ as "
      "in C, at most 512 bytes. Empty: nothing. Datagrams are dropped without it.");
}

void check_admission(AdmissionSettings& admission, const ServiceConfiguration& service,
                     SettingsReader& reader) {
  constexpr std::array names = {
      "allow",  "max-connections-per-client", "client-rate", "client-burst", "overload", "overload-queue",
      "refusal"};
  const std::string_view reason = why_not(service);
  for (const char* const name : names)
    if (const Given* const given = reader.find(name); given != nullptr && !reason.empty()) {
      const bool denies = given->values.front().starts_with("deny ");
      reader.blame(name, text(denies ? "deny" : name, ' ', reason));
    }
  find_users(admission, service.model.work == WorkKind::datagrams, reader);
  if (admission.burst != 0 && admission.rate.connections == 0)
    reader.blame("client-burst", text("client-burst = ", admission.burst, " needs client-rate"));
  check_overload(admission, service.model.work == WorkKind::datagrams, reader);
  try {
    admission.refusal = parse_refusal(admission.refusal_written);
  } catch (const Error& error) {
    reader.blame("refusal",
                 text("refusal = ", admission.refusal_written, ' ', std::string_view(error.what())));
  }
  admission.compiled = std::make_shared<const AccessRules>(admission.rules);
}

void add_users(Lookups& to, const AdmissionSettings& admission) {
  for (const auto& rule : admission.rules)
    if (!rule.user_name.empty())
      add_identity(to, rule.user_name, "", {.name = rule.user_name, .user = rule.user});
}

}  // namespace brood
