// SPDX-License-Identifier: MIT
#include "ctl/convert/output_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "ctl/convert/convert.hpp"
#include "ctl/convert/service_text.hpp"
#include "ctl/locate.hpp"

namespace brood::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_input = 1 << 20;

[[noreturn]] void fail(const std::string& what, int code) {
  throw Failure(SystemError(what, errno).what(), code);
}

// Nothing is overwritten before the whole content is there.
void write_file(const std::string& path, const std::string& content, bool replace) {
  const std::string fresh = replace ? path + ".new" : path;
  if (replace) ::unlink(fresh.c_str());
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) fail("write " + fresh, outcome_of_convert::file_exists);
  for (std::string_view rest = content; !rest.empty();) {
    const ssize_t size = ::write(file.get(), rest.data(), rest.size());
    if (size < 0) fail("write " + fresh, outcome::output_failed);
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  if (replace && ::rename(fresh.c_str(), path.c_str()) != 0) fail("rename " + fresh, outcome::output_failed);
}

}  // namespace

std::string read_input(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) fail(path, outcome_of_convert::no_input);
  std::string content;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0) fail(path, outcome_of_convert::no_input);
    if (size == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(size));
    if (content.size() > largest_input)
      throw Failure(path + ": is larger than 1 MiB", outcome_of_convert::no_input);
  }
  if (content.find('\0') != std::string::npos)
    throw Failure(path + ": contains a NUL byte: this is not a configuration file",
                  outcome_of_convert::mistakes);
  return content;
}

std::vector<OutputFile> files_of(const Conversion& conversion) {
  std::vector<OutputFile> files;
  for (const Draft& service : conversion.services) files.push_back({file_name(service), as_file(service)});
  if (!conversion.shared.place.empty())
    files.push_back({std::string(shared_file), as_file(conversion.shared)});
  return files;
}

void write_files(const std::vector<OutputFile>& files, const std::string& directory, bool force) {
  std::vector<std::string> existing;
  for (const auto& file : files)
    if (const std::string path = directory + '/' + file.name; !force && fs::exists(fs::symlink_status(path)))
      existing.push_back(path);
  if (!existing.empty())
    throw Failure(join(existing, ", ") + ": exists; --force replaces it", outcome_of_convert::file_exists);
  for (const auto& file : files) {
    const std::string path = directory + '/' + file.name;
    std::error_code failed;
    fs::create_directories(fs::path(path).parent_path(), failed);
    if (failed)
      throw Failure(text("make ", fs::path(path).parent_path().string(), ": ", failed.message()),
                    outcome_of_convert::file_exists);
    write_file(path, file.content, force);
  }
}

}  // namespace brood::ctl
