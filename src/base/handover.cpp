// SPDX-License-Identifier: MIT
#include "base/handover.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "base/descriptor_io.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::size_t largest = 16 << 20;

}  // namespace

Descriptor write_handover(const Handover& handover) {
  Descriptor memory(::memfd_create("brood-handover", 0));
  if (!memory) throw SystemError("create memory for what is handed over", errno);
  std::string content;
  for (const auto& record : handover) content += record.line() + '\n';
  write_all(memory, content, "write what is handed over");
  return memory;
}

std::string handover_address(const Descriptor& descriptor, pid_t reader) {
  return text(descriptor.get(), ':', reader);
}

std::optional<Handover> read_handover(const char* variable) {
  const char* found = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (found == nullptr) return {};
  const std::string value = found;
  ::unsetenv(variable);  // NOLINT(concurrency-mt-unsafe)
  int number = -1;
  pid_t reader = 0;
  const char* const end = value.data() + value.size();
  const auto first = std::from_chars(value.data(), end, number);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':' ||
      std::from_chars(first.ptr + 1, end, reader).ec != std::errc{})
    throw Error(text(std::string_view(variable), " = ", escape(value), " is not of the form DESCRIPTOR:PID"));
  if (reader != ::getpid()) return {};  // it was left to a parent of ours
  const Descriptor descriptor = receive_descriptor(number);
  const std::string content = read_all(descriptor, "read what the former program handed over", largest);
  if (content.size() > largest) throw Error("what the former program handed over is too large");
  Handover handover;
  for (const auto line : split(content, '\n'))
    if (!line.empty()) handover.push_back(WireRecord::parse(line));
  return handover;
}

void keep_over_exec(int descriptor) {
  if (::fcntl(descriptor, F_SETFD, 0) != 0) throw SystemError("keep a descriptor over exec", errno);
}

Descriptor receive_descriptor(int descriptor) {
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
    throw SystemError(text("take over descriptor ", descriptor), errno);
  return Descriptor(descriptor);
}

std::vector<int> descriptors_of(const Handover& handover) {
  std::vector<int> all;
  for (const auto& record : handover)
    for (const auto& [name, value] : record.fields())
      if (name.ends_with("descriptor")) all.push_back(record.number<int>(name));
  return all;
}

}  // namespace brood
