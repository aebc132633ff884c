// SPDX-License-Identifier: MIT
#include "scoreboard/evidence.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "scoreboard/scoreboard.hpp"

namespace brood {
namespace {

template <std::size_t words>
std::string read_bytes(const std::array<std::atomic<std::uint64_t>, words>& from, std::size_t size) {
  std::string all(words * sizeof(std::uint64_t), '\0');
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t word = from[i].load(relaxed);
    std::memcpy(all.data() + i * sizeof word, &word, sizeof word);
  }
  all.resize(std::min(size, all.size()));
  return all;
}

template <std::size_t words>
std::string read_text(const std::array<std::atomic<std::uint64_t>, words>& from) {
  const std::string all = read_bytes(from, words * sizeof(std::uint64_t));
  return all.substr(0, std::min(all.find('\0'), all.size()));
}

StackModule read_module(const Evidence::Module& module) {
  const std::uint64_t size = module.build_id_bytes.load(relaxed);
  return {.path = read_text(module.path),
          .build_id = size <= Evidence::build_id_size ? read_bytes(module.build_id, size) : ""};
}

}  // namespace

void write_bytes(std::atomic<std::uint64_t>* to, std::size_t size, std::string_view from) {
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    if (at < from.size()) std::memcpy(&word, from.data() + at, std::min(sizeof word, from.size() - at));
    to[at / sizeof word].store(word, relaxed);
  }
}

CrashEvidence read_evidence(const Evidence& evidence, std::uint64_t incarnation) {
  CrashEvidence to;
  const int signal = evidence.signal.load(relaxed);
  if (incarnation == 0 || evidence.incarnation.load(relaxed) != incarnation || signal <= 0 || signal >= NSIG)
    return to;
  to.signal = signal;
  to.code = evidence.code.load(relaxed);
  to.address = evidence.address.load(relaxed);
  to.thread = evidence.thread.load(relaxed);
  to.exception_type = read_text(evidence.exception_type);
  to.message = read_text(evidence.message);
  const std::size_t modules = std::min<std::size_t>(evidence.modules.load(relaxed), Evidence::most_modules);
  for (std::size_t i = 0; i < modules; ++i) to.stack.modules.push_back(read_module(evidence.module[i]));
  const std::size_t frames = std::min<std::size_t>(evidence.frames.load(relaxed), Evidence::most_frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const std::uint64_t frame = evidence.frame[i].load(relaxed);
    const std::size_t module = frame >> Evidence::module_shift;
    to.stack.frames.push_back({.module = module < modules ? module : StackFrame::no_module,
                               .offset = frame & ((std::uint64_t{1} << Evidence::module_shift) - 1)});
  }
  return to;
}

CrashEvidence Scoreboard::evidence_left(std::uint32_t slot) const {
  Evidence left{};
  const auto at = static_cast<off_t>(layout_.evidence + slot * sizeof(Evidence));
  const ssize_t got = ::pread(descriptors().read_only.get(), static_cast<void*>(&left), sizeof left, at);
  if (got != sizeof left) return {};
  return read_evidence(left, slot_orders(slot).incarnation.load(relaxed));
}

}  // namespace brood
