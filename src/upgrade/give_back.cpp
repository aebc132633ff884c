// SPDX-License-Identifier: MIT
#include "upgrade/give_back.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

Descriptor allow_give_back(Handover& handover) {
  Descriptor image = Executable::running();
  handover.push_back(WireRecord("former").set("descriptor", image.get()));
  return image;
}

void give_back(const Executable& executable, Handover handover, std::string_view why) {
  const auto former = std::ranges::find(handover, "former", &WireRecord::kind);
  if (former == handover.end() || has(handover, refused_kind)) return;
  try {
    const int image = former->number<int>("descriptor");
    handover.push_back(WireRecord(refused_kind).set("why", why));
    const Descriptor memory = write_handover(handover);
    executable.become({}, variable_for(memory, ::getpid()), descriptors_of(handover), image);
  } catch (const Error& error) {
    log_error(text("upgrade: can't go back to the former program: ", std::string_view(error.what())));
  }
}

}  // namespace brood
