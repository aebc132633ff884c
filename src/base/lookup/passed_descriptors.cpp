// SPDX-License-Identifier: MIT
#include "base/lookup/passed_descriptors.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? "" : value;
}

// An upgrade is rehearsed in a child of the server, which has another pid.
bool is_of_server(std::string_view pid) {
  const auto number = parse_number<pid_t>(pid);
  return number && (*number == ::getpid() || *number == ::getppid());
}

// As if it had been written with the number.
ListenSpec with_number(const ListenSpec& spec, int descriptor) {
  const std::string_view written = spec.written;
  const std::string_view options = written.substr(std::min(written.find(','), written.size()));
  return parse_listen(text("fd:", descriptor, options, spec.name.empty() ? ",name=" + spec.passed_as : ""));
}

}  // namespace

const PassedDescriptors& PassedDescriptors::of_server() {
  static const PassedDescriptors passed = is_of_server(variable("LISTEN_PID"))
                                              ? parse(variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"))
                                              : PassedDescriptors();
  return passed;
}

PassedDescriptors PassedDescriptors::parse(std::string_view count, std::string_view names) {
  constexpr unsigned most = 65'536;
  const auto number = parse_number<unsigned>(count);
  PassedDescriptors passed;
  if (!number || *number > most) return passed;
  passed.names.resize(*number, "unknown");
  if (names.empty()) return passed;
  const auto each = split(names, ':');
  for (std::size_t i = 0; i < std::min(each.size(), passed.names.size()); ++i) passed.names[i] = each[i];
  return passed;
}

std::vector<ListenSpec> numbered(const ListenSpec& spec, const PassedDescriptors& passed) {
  if (spec.passed_as.empty() || passed.names.empty()) return {spec};
  std::vector<ListenSpec> all;
  for (std::size_t i = 0; i < passed.names.size(); ++i)
    if (passed.names[i] == spec.passed_as)
      all.push_back(with_number(spec, first_passed + static_cast<int>(i)));
  if (all.empty())
    throw ConfigurationError(text("names no descriptor that was passed to this server; their names are ",
                                  escape(join(passed.names, ", ")),
                                  did_you_mean(spec.passed_as, passed.names)));
  return all;
}

}  // namespace brood
