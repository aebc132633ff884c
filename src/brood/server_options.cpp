// SPDX-License-Identifier: MIT
#include "server_options.hpp"

#include <unistd.h>

#include <string_view>

#include "base/text.hpp"
#include "base/text/help_text.hpp"
#include "brood/error.hpp"
#include "directory_settings.hpp"
#include "settings/help.hpp"

namespace brood {
namespace {

constexpr std::string_view directory_option = "--config-directory";

const ProgramOptions options = {
    {"config-directory", "DIRECTORY",
     "the directory of the services, one file NAME.conf for each; what they share is in its defaults/*.conf, "
     "or in the FILE of --config (default: /etc/brood)"},
    {"try-lock", "", "exit with 1 if a server of this name runs, with 0 if not, and print which"}};

}  // namespace

ServerOptions::ServerOptions(const std::vector<ServicePath>& services) : services_("") {
  parent_.name = "brood";
  add_shared_settings(table_, services_, parent_);
  Settings of_one;
  services_.add_all_to(of_one);
  for (const auto& service : services)
    if (is_service_name(service.service)) table_.add_service(service.service, of_one);
}

CommandLine ServerOptions::parse(std::span<const char* const> arguments) const {
  return parse_command_line(table_, arguments, options);
}

std::string ServerOptions::help() const {
  return print_help(table_, "brood", terminal_width(STDOUT_FILENO), options,
                    "in its file DIRECTORY/SERVICE.conf");
}

std::string directory_named_in(std::span<const char* const> arguments) {
  std::string named = default_directory;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == directory_option) {
      const std::string_view next = i + 1 < arguments.size() ? arguments[i + 1] : "";
      if (next.empty() || next.front() == '-')
        throw ConfigurationError(text("command line: ", directory_option, " names no directory"));
      named = next;
    } else if (word.starts_with(directory_option) && word.substr(directory_option.size()).starts_with('=')) {
      named = word.substr(directory_option.size() + 1);
    }
  }
  return named;
}

}  // namespace brood
