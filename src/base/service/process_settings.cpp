// SPDX-License-Identifier: MIT
#include "base/service/process_settings.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

void limit(int resource, const ResourceLimit& wanted, const char* setting) {
  if (!wanted) return;
  const rlim_t value = *wanted == no_resource_limit ? RLIM_INFINITY : static_cast<rlim_t>(*wanted);
  const rlimit both{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0)
    throw SystemError(text(setting, " = ", *wanted), errno);
}

void run_on(const std::vector<unsigned>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) throw SystemError("cpus", errno);
}

// nice(2) returns -1 if it has failed, and also if that is the result.
void be_nice(int by) {
  if (by == 0) return;
  errno = 0;
  if (::nice(by) == -1 && errno != 0) throw SystemError(text("nice = ", by), errno);
}

void enter_directories(const ProcessSettings& settings) {
  const std::string& root = settings.root_directory;
  if (!root.empty() && (::chroot(root.c_str()) != 0 || ::chdir("/") != 0))
    throw SystemError("chroot = " + root, errno);
  const std::string& place = settings.working_directory;
  if (!place.empty() && ::chdir(place.c_str()) != 0) throw SystemError("working-directory = " + place, errno);
}

}  // namespace

void check_variable(const std::string& written) {
  const auto equals = written.find('=');
  if (equals == 0 || equals == std::string::npos) throw ConfigurationError("is not NAME=VALUE");
}

void check_variable_name(const std::string& written) {
  if (written.empty() || written.find('=') != std::string::npos)
    throw ConfigurationError("is not the name of a variable");
}

void check_umask(const std::string& written) {
  const auto value = parse_number<unsigned>(written, 8);
  if (!written.empty() && (!value || *value > 0777))
    throw ConfigurationError("is not an octal number from 0 to 0777");
}

std::vector<unsigned> parse_cpus(const std::string& written) {
  std::vector<unsigned> cpus;
  if (written.empty()) return cpus;
  for (const auto part : split(written, ',')) {
    const auto dash = part.find('-');
    const auto first = parse_number<unsigned>(trim(part.substr(0, dash)));
    const auto last =
        dash == std::string_view::npos ? first : parse_number<unsigned>(trim(part.substr(dash + 1)));
    if (!first || !last || *first > *last || *last >= CPU_SETSIZE)
      throw ConfigurationError(text("is not a list of CPUs, as 0-3,7, below ", CPU_SETSIZE));
    for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

void leave_environment(const ProcessSettings& settings) {
  if (settings.pass_environment.empty()) return;
  std::vector<std::string> left;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    std::string name(variable.substr(0, variable.find('=')));
    if (std::ranges::find(settings.pass_environment, name) == settings.pass_environment.end())
      left.push_back(std::move(name));
  }
  for (const auto& name : left) ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
}

void put_in_force(const ProcessSettings& settings) {
  limit(RLIMIT_NOFILE, settings.open_files, "limit-open-files");
  limit(RLIMIT_AS, settings.memory, "limit-memory");
  limit(RLIMIT_CPU, settings.cpu_time, "limit-cpu");
  limit(RLIMIT_CORE, settings.core, "limit-core");
  be_nice(settings.nice);
  run_on(parse_cpus(settings.cpus));
  if (const auto mask = parse_number<mode_t>(settings.umask, 8)) ::umask(*mask);
  enter_directories(settings);
  for (const auto& variable : settings.environment) {
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals), value = variable.substr(equals + 1);
    if (::setenv(name.c_str(), value.c_str(), 1) != 0)  // NOLINT(concurrency-mt-unsafe): before any thread
      throw SystemError("environment = " + variable, errno);
  }
}

void allow_core_dump(const ProcessSettings& settings) {
  if (settings.core && *settings.core > 0 && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
    throw SystemError("allow a core dump", errno);
}

}  // namespace brood
