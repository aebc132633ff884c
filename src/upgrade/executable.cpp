// SPDX-License-Identifier: MIT
#include "upgrade/executable.hpp"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/handover.hpp"
#include "base/process/exec_words.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// A program that was executed through a descriptor has no name but that of its file at this moment.
std::string path_of_this_program() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval() returns pointers as numbers
  const auto* executed = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const std::string_view name = executed == nullptr ? "" : executed;
  std::error_code failed;
  if (name.empty() || name.starts_with("/dev/fd/") || name.starts_with("/proc/"))
    return std::filesystem::read_symlink("/proc/self/exe", failed).string();
  return std::filesystem::absolute(name, failed).string();
}

}  // namespace

Executable::Executable(int argc, const char* const* argv)
    : path_(path_of_this_program()), arguments_(argv, argv + argc) {}

void Executable::continue_as(std::string path) {
  path_ = std::move(path);
  ::prctl(PR_SET_NAME, std::filesystem::path(path_).filename().c_str());
}

Descriptor Executable::running() {
  Descriptor image(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  if (!image) throw SystemError("open the running program", errno);
  return image;
}

void Executable::become(std::span<const std::string> more, const std::string& variable,
                        std::span<const int> kept, int image) const {
  std::vector<std::string> arguments = arguments_, environment;
  arguments.insert(arguments.end(), more.begin(), more.end());
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  if (!variable.empty()) environment.push_back(variable);
  const ExecWords argv(arguments), envp(environment);
  for (const int descriptor : kept) keep_over_exec(descriptor);
  if (image >= 0)
    ::execveat(image, "", argv.get(), envp.get(), AT_EMPTY_PATH);
  else
    ::execve(path_.c_str(), argv.get(), envp.get());
  const int error_number = errno;
  for (const int descriptor : kept) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  throw SystemError(image >= 0 ? "execute the former program" : "execute " + path_, error_number);
}

}  // namespace brood
