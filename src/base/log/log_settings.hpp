// SPDX-License-Identifier: MIT
// The settings of a log: that of the server, and that of each service.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace brood {

enum class LogFormat : std::uint8_t { text, json };

struct LogSettings {
  std::string to = "stderr";  // "stderr", "stdout", "syslog" or the path of a file
  std::string level = "info";
  LogFormat format = LogFormat::text;
  std::string facility = "daemon";  // of syslog
  std::string identity;             // of syslog; "": the name of the server

  bool operator==(const LogSettings&) const = default;
};

inline bool is_standard_output(std::string_view log) { return log == "stderr" || log == "stdout"; }
inline bool is_log_file(std::string_view log) { return !is_standard_output(log) && log != "syslog"; }

inline constexpr std::array<std::string_view, 19> syslog_facilities = {
    "auth", "authpriv", "cron",   "daemon", "ftp",    "lpr",    "mail",   "news",   "syslog", "user",
    "uucp", "local0",   "local1", "local2", "local3", "local4", "local5", "local6", "local7"};

}  // namespace brood
