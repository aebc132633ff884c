// SPDX-License-Identifier: MIT
#include "base/service/service_command.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// Removes one word from `rest`, which does not begin with a blank.
std::string take_word(std::string_view& rest) {
  std::string word;
  char quote = '\0';
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (quote == '\0' && (c == ' ' || c == '\t')) break;
    const bool escapes = c == '\\' && quote != '\'';
    if (escapes && at + 1 == rest.size()) throw ConfigurationError("ends with a backslash");
    if (escapes)
      word += rest[++at];
    else if (c == quote)
      quote = '\0';
    else if (quote == '\0' && (c == '"' || c == '\''))
      quote = c;
    else
      word += c;
  }
  if (quote != '\0') throw ConfigurationError("has a quote that is not closed");
  rest.remove_prefix(at);
  return word;
}

void refuse_if_not_executable(const std::string& program) {
  struct stat status {};
  int error_number = 0;
  if (::stat(program.c_str(), &status) != 0)
    error_number = errno;
  else if (!S_ISREG(status.st_mode))
    error_number = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
  else if (::access(program.c_str(), X_OK) != 0)
    error_number = errno;
  if (error_number != 0)
    throw ConfigurationError(SystemError("cannot be executed: " + program, error_number).what());
}

}  // namespace

CommandGets ServiceCommand::gets() const {
  const auto found = std::ranges::find(command_gets_names, gets_written);
  return static_cast<CommandGets>(found - command_gets_names.begin());
}

std::vector<std::string> split_words(std::string_view written) {
  std::vector<std::string> words;
  for (std::string_view rest = trim(written); !rest.empty(); rest = trim(rest))
    words.push_back(take_word(rest));
  return words;
}

std::vector<std::string> parse_command(std::string_view written) {
  std::vector<std::string> words = split_words(written);
  if (words.empty()) throw ConfigurationError("names no program");
  if (!words.front().starts_with('/'))
    throw ConfigurationError("does not begin with an absolute path: " + words.front());
  return words;
}

void check_executable(const std::string& program) {
  look_up("program", program, [&] {
    refuse_if_not_executable(program);
    return std::string();
  });
}

}  // namespace brood
