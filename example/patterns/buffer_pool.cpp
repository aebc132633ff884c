// SPDX-License-Identifier: MIT
// Shows a pool of buffers (buffer_pool.hpp): so many, of one size, made at the start. A connection borrows
// one when input comes, and keeps it only while a request is incomplete. If none is left, the connection is
// told so and closed.
//   In the books: Pooling, Resource Pool (POSA3); memory pool, buffer cache, free list.
//   Take it: if memory has to have an upper bound, or if buffers are large and allocating them shows in a
//   profile. Not before: malloc keeps a free list for each thread, and the kit's own buffers come from it.
#include <brood/brood.hpp>
#include <cstring>

#include "buffer_pool.hpp"
#include "protocol.hpp"

class Pooled : public brood::EventServer {
  struct Input {
    patterns::BufferPool::Buffer buffer;
    std::size_t filled = 0;
  };
  void add_settings(brood::Settings& settings) override {
    settings.number("buffers", buffers_, 1, 100'000, "How many buffers a child has.");
  }
  void on_child_start() override { pool_.emplace(buffers_); }

  Next handle_readable(brood::Connection& connection) override {
    auto& [buffer, filled] = connection.state<Input>();
    if (!buffer) buffer = pool_->borrow();
    if (!buffer) {
      connection.write_all("no buffer is free\n");
      return Next::close;
    }
    while (const auto size =
               connection.try_read({buffer.get() + filled, patterns::BufferPool::size - filled})) {
      if (*size == 0) break;
      filled += *size;
      std::string_view left(buffer.get(), filled);
      for (auto end = left.find('\n'); end != std::string_view::npos;
           left.remove_prefix(end + 1), end = left.find('\n'))
        connection.write_all(patterns::answer(std::string(left.substr(0, end))));
      std::memmove(buffer.get(), left.data(), filled = left.size());
      if (filled == patterns::BufferPool::size) return Next::close;  // a line that is too long
    }
    if (filled > 0) return Next::more_input;
    buffer.reset();
    return Next::request;
  }

  unsigned buffers_ = 64;
  std::optional<patterns::BufferPool> pool_;
};

int main(int argc, char** argv) { return Pooled().run(argc, argv); }
