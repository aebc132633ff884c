// SPDX-License-Identifier: MIT
// Shows memory that the children share: a cache of what `work N` has computed (shared_cache.hpp), made before
// the first fork. `hits` answers how often it had the result. The children have nothing else in common.
//   In the books: shared memory, process-shared mutex (Stevens, UNP volume 2, 7.7 and 13); memory mapped
//   file. Robust mutexes are newer: whoever finds that the owner died repairs.
//   Take it: for counters and caches that may be lost with the server. Not for what each request of each
//   child changes: then all wait for one lock. Whatever is changed, think of a crash in the middle.
#include <brood/event_server.hpp>

#include "protocol.hpp"
#include "shared_cache.hpp"

class SharedMemory : public brood::EventServer {
  void on_parent_start() override { cache_ = patterns::SharedCache::map(); }

  std::string answer(const std::string& line) {
    if (line == "hits")
      return std::to_string(cache_->hits()) + " of " + std::to_string(cache_->hits() + cache_->misses()) +
             '\n';
    const auto rounds = patterns::number_behind(line, "work ", patterns::most_rounds);
    return rounds ? std::to_string(cache_->get(*rounds, patterns::hash)) + '\n' : patterns::answer(line);
  }

  Next handle_readable(brood::Connection& connection) override {
    while (const auto line = connection.try_line()) connection.write_all(answer(*line));
    return Next::request;
  }

  patterns::SharedCache* cache_ = nullptr;  // one for all children
};

int main(int argc, char** argv) { return SharedMemory().run(argc, argv); }
