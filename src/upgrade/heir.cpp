// SPDX-License-Identifier: MIT
#include "upgrade/heir.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

Heir::Heir(const Executable& executable, Handover handover)
    : executable_(executable),
      handover_(std::move(handover)),
      unclaimed_(descriptors_of(handover_)),
      rehearses_(has(handover_, "rehearsal")) {
  // What this program starts gets none of them.
  for (const int descriptor : unclaimed_) take_descriptor(descriptor).release();
}

std::optional<Heir> Heir::of_this_process(const Executable& executable) {
  auto handover = take_handover(parent_variable);
  if (!handover) return {};
  Heir heir(executable, std::move(*handover));
  try {
    heir.left_ = from_handover(heir.handover_);
  } catch (const Error& error) {
    heir.give_back(error.what());
    throw;
  }
  return heir;
}

const HandedOverService* Heir::find(std::string_view service) const {
  const auto found = std::ranges::find(left_.services, service, &HandedOverService::name);
  return found == left_.services.end() ? nullptr : &*found;
}

Descriptor Heir::share(int descriptor) {
  Descriptor shared(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!shared) throw SystemError(text("take over descriptor ", descriptor), errno);
  return shared;
}

Descriptor Heir::claim(int descriptor) {
  std::erase(unclaimed_, descriptor);
  return Descriptor(descriptor);
}

void Heir::accept() {
  for (const int descriptor : unclaimed_) ::close(descriptor);
  unclaimed_.clear();
  handover_.clear();
}

void Heir::give_back(std::string_view why) {
  const int former = former_descriptor_of(handover_);
  const bool was_given_back = has(handover_, "refused");
  if (rehearses_ || was_given_back || former < 0) return;
  try {
    handover_.push_back(refusal_record(why));
    const Descriptor memory = leave_handover(handover_);
    executable_.become({}, variable_for(memory, ::getpid()), descriptors_of(handover_), former);
  } catch (const Error& error) {
    log_error(text("upgrade: the former program can't be had back: ", std::string_view(error.what())));
  }
}

}  // namespace brood
