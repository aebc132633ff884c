// SPDX-License-Identifier: MIT
#include "base/process/process_title.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/process.hpp"

namespace brood {
namespace {

constexpr std::size_t longest_title = 160;

// Appends to a piece of memory, as far as there is room.
class Writer {
 public:
  explicit Writer(std::span<char> to) : to_(to) {}
  void add(std::string_view text) {
    const std::size_t size = std::min(text.size(), to_.size() - size_);
    std::memcpy(to_.data() + size_, text.data(), size);
    size_ += size;
  }
  std::size_t size() const { return size_; }

 private:
  const std::span<char> to_;
  std::size_t size_ = 0;
};

struct TitleMemory {
  char** argv = nullptr;
  std::span<char> all{};    // found
  std::span<char> words{};  // behind the prefix; empty: there is no title
  std::size_t used = 0;     // of the words
};
TitleMemory title_memory;

// Copies for those that still read it. They last as long as the process.
void move_away(char** texts) {
  const auto is_inside = [](const char* text) {
    const auto at = reinterpret_cast<std::uintptr_t>(text);
    const auto from = reinterpret_cast<std::uintptr_t>(title_memory.all.data());
    return at >= from && at < from + title_memory.all.size();
  };
  for (char** text = texts; text != nullptr && *text != nullptr; ++text)
    if (char* const copy = is_inside(*text) ? ::strdup(*text) : nullptr) *text = copy;
}

[[gnu::hot]] void end_at(std::size_t size) {
  if (size < title_memory.used) std::memset(title_memory.words.data() + size, 0, title_memory.used - size);
  title_memory.used = size;
}

}  // namespace

[[gnu::hot]] std::size_t write_busy(std::span<char> to, unsigned connections, std::string_view note) {
  Writer writer(to);
  writer.add("busy");
  if (connections > 1) {
    char digits[16];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), connections).ptr;
    writer.add(" (");
    writer.add({digits, static_cast<std::size_t>(end - digits)});
    writer.add(")");
  }
  if (note = note.substr(0, note.find('\0')); note.empty()) return writer.size();
  writer.add(" ");
  writer.add(note);
  return writer.size();
}

void process_title::find_memory(char** argv) {
  const auto bounds = start_memory_of_this_process();
  // Another argv than that of main() is no memory that ps shows.
  if (!bounds || argv == nullptr || argv[0] != bounds->begin) return;
  const char* end = argv[0];  // of the arguments
  for (char** argument = argv; *argument != nullptr; ++argument)
    end = std::max<const char*>(end, *argument + std::strlen(*argument) + 1);
  const auto size = std::max(static_cast<std::size_t>(end - argv[0]), longest_title);
  title_memory = {.argv = argv, .all = {bounds->begin, std::min(bounds->size, size)}};
}

void process_title::begin(std::string_view prefix, std::string_view word) {
  if (title_memory.all.empty()) return;
  move_away(title_memory.argv);
  move_away(environ);
  char* names[] = {program_invocation_name, program_invocation_short_name, nullptr};
  move_away(names);
  program_invocation_name = names[0];
  program_invocation_short_name = names[1];
  std::memset(title_memory.all.data(), 0, title_memory.all.size());
  // The last byte stays NUL.
  const std::span<char> to = title_memory.all.first(std::min(title_memory.all.size(), longest_title) - 1);
  Writer writer(to);
  writer.add(prefix);
  writer.add(": ");
  title_memory.words = to.subspan(writer.size());
  shown = true;
  show(word);
}

[[gnu::hot]] void process_title::show(std::string_view word) {
  if (!shown) return;
  Writer writer(title_memory.words);
  writer.add(word);
  end_at(writer.size());
}

[[gnu::hot]] void process_title::show_busy(unsigned connections, std::string_view note) {
  if (!shown) return;
  end_at(write_busy(title_memory.words, connections, note));
}

}  // namespace brood
