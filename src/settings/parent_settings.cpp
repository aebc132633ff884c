// SPDX-License-Identifier: MIT
// The settings of the parent: their names, defaults and help, and the checks of several of them together.
#include <arpa/inet.h>

#include "base/lookup/identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/configuration.hpp"

namespace brood {

void add_log_settings(Settings& settings, LogSettings& log) {
  settings.of_kit(true);
  settings.text("log", log.to,
                "Where the log goes: stderr, stdout, syslog, or the path of a file. The log of a service has "
                "what its children say, and also what the parent says about it.");
  settings.choice("log-level", log.level, {"debug", "info", "warning", "error"},
                  "The least important messages that are logged.");
  settings.choice("log-format", log.format, {{"text", LogFormat::text}, {"json", LogFormat::json}},
                  "Whether a line is for people, or a JSON object with time, level, server, service, pid and "
                  "message.");
  settings.choice("syslog-facility", log.facility,
                  std::vector<std::string>(syslog_facilities.begin(), syslog_facilities.end()),
                  "The facility of messages to syslog.");
  settings.text("syslog-identity", log.identity,
                "The name of the sender of messages to syslog. Empty: the name of the server.");
}

void add_parent_settings(Settings& settings, Configuration& configuration) {
  settings.of_kit(true);
  settings.section("The parent");
  settings.text("name", configuration.name, "The name of the server in the log and for broodctl.")
      .applied_on = AppliedOn::restart;
  settings.flag("daemonize", configuration.daemonize, "Run in the background, without a terminal.")
      .applied_on = AppliedOn::restart;
  settings
      .text("pid-file", configuration.pid_file,
            "The file that the pid of the parent is written to. It is locked: a second server with the same "
            "file does not start. Empty: no file.")
      .applied_on = AppliedOn::restart;
  settings
      .text("runtime-directory", configuration.runtime_directory,
            "The directory of NAME.scoreboard, which broodctl reads, and of NAME.control, "
            "which takes its orders. Empty: /run/brood for root; for other users XDG_RUNTIME_DIR/brood, or "
            "/tmp/brood-UID. 'none': the scoreboard is in anonymous memory, and broodctl cannot use this "
            "server.")
      .applied_on = AppliedOn::restart;
  settings
      .text(
          "status-group", configuration.status_group,
          "The group whose members may read the scoreboards, as broodctl status does. Orders are taken from "
          "root and from the user of the server alone. Empty: no group.")
      .applied_on = AppliedOn::restart;
  settings.text(
      "status-listen", configuration.status_listen,
      "Where the server shows its status by HTTP: a port of 127.0.0.1, an ADDRESS:PORT of numbers, or "
      "unix:/PATH with mode= and owner= as in listen. It answers /, /status.json, /metrics, /readyz "
      "and /livez, to everybody who can connect. Empty: nowhere.");
  settings
      .integer("notify-fd", configuration.notify_fd, -1, 1'000'000,
               "A descriptor that gets a newline when the server is ready, as s6 wants it. -1: none. systemd "
               "needs no setting: the server follows NOTIFY_SOCKET.")
      .applied_on = AppliedOn::restart;
  settings.duration(
      "drain-delay", configuration.drain_delay, std::chrono::milliseconds(0), std::chrono::hours(24),
      "How long the server serves on after SIGTERM, or the order to stop, while it reports that it is not "
      "ready. Balancers and proxies have this time to turn to others. Then it stops. Another SIGTERM ends "
      "the "
      "wait. 0: it stops at once.");
  add_log_settings(settings, configuration.log);
}

void check_log(const LogSettings& log, SettingsReader& reader) {
  if (log.to.empty()) reader.blame("log", "log must not be empty");
  if (log.identity.find_first_of("[]: \t\n") != std::string::npos)
    reader.blame("syslog-identity",
                 text("syslog-identity = ", log.identity, " has a blank, a colon or a bracket"));
}

// No name is looked up: a reload opens it in the parent, which never waits.
ListenSpec status_address(const std::string& written) {
  const bool port_alone = written.find_first_not_of("0123456789") == std::string::npos;
  ListenSpec spec = parse_listen(port_alone ? "127.0.0.1:" + written : written);
  const bool is_unix = spec.kind == ListenSpec::Kind::unix_socket;
  if (spec.kind != ListenSpec::Kind::tcp && !is_unix)
    throw ConfigurationError("is neither a TCP address nor a unix socket");
  if (spec.proxy || spec.nagle || !spec.name.empty())
    throw ConfigurationError("has an option that only listen can have");
  in6_addr number{};
  if (!is_unix && !spec.host.empty() && ::inet_pton(AF_INET, spec.host.c_str(), &number) != 1 &&
      ::inet_pton(AF_INET6, spec.host.c_str(), &number) != 1)
    throw ConfigurationError("has a name: write the address with numbers, as 127.0.0.1");
  return spec;
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.find('/') == std::string_view::npos;
}

void check_parent(const Configuration& configuration, SettingsReader& reader) {
  if (!is_server_name(configuration.name))
    reader.blame("name", text("name = ", configuration.name, " is not 1 to 63 bytes without '/'"));
  if (configuration.daemonize && is_standard_output(configuration.log.to))
    reader.blame("daemonize", text("daemonize = yes needs a log that is not ", configuration.log.to,
                                   ": set log to syslog or to a file"));
  check_log(configuration.log, reader);
  try {
    if (!configuration.status_listen.empty()) status_address(configuration.status_listen);
  } catch (const Error& error) {
    reader.blame("status-listen",
                 text("status-listen = ", configuration.status_listen, ' ', std::string_view(error.what())));
  }
  try {
    find_identity("", configuration.status_group);
  } catch (const Error& error) {
    reader.blame("status-group",
                 text("status-group = ", configuration.status_group, ": ", std::string_view(error.what())));
  }
}

}  // namespace brood
