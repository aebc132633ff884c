// SPDX-License-Identifier: MIT
// The child model on coroutines: many connections in a child, each in a coroutine of its own.
#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/async_loop.hpp"

namespace brood {

template <int boost_version, bool io_uring>
void AsyncServer::require_same_boost() {}
template void AsyncServer::require_same_boost<BOOST_VERSION, AsyncServer::on_io_uring>();

void AsyncServer::serve(Child& child) {
  std::optional<AsyncLoop> loop;
  try {
    loop.emplace(child, [this](AsyncConnection& connection) { return handle_connection(connection); });
  } catch (const boost::system::system_error& error) {
    // The kernel may lack it, or a container may forbid it.
    if (on_io_uring)
      throw ConfigurationError(text("io_uring can't be used here: ", std::string_view(error.what())));
    throw SystemError("make an event loop", error.code().value());
  }
  loop->run();
}

}  // namespace brood
