// SPDX-License-Identifier: MIT
// A load client: so many clients, each of which connects, says something, waits for the answer and begins
// again, without a pause unless one is wanted. One thread, epoll. It says of each connection that was not
// answered why not.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "load/answer.hpp"
#include "load/load_result.hpp"

namespace brood::load {

struct LoadPlan {
  std::string address;  // as LoadTarget takes it
  unsigned concurrency = 1;
  std::uint64_t connections = 0;         // 0: no limit
  std::uint64_t requests = 0;            // 0: no limit
  std::chrono::nanoseconds duration{0};  // 0: no limit; exchanges in hand at its end are still finished
  std::string payload = "hello\n";       // what is sent
  AnswerForm form = AnswerForm::line;    // of what comes back
  std::string http_path;                 // not empty: asks for it by HTTP instead
  bool keep_alive = false;               // one connection a client, and exchange after exchange on it
  bool stay = false;                     // with keep_alive: the connections are there for the next run()
  std::chrono::nanoseconds hold{0};      // how long a connection stays open after its answer
  std::chrono::nanoseconds pause{0};     // before the next connection, or the next request on this one
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // for each answer

  // Any other answer is wrong. The body is all of an answer that is not HTTP.
  std::optional<std::string> expected_body;
  unsigned expected_status = 0;  // 0: any

  std::function<void(std::string_view)> on_answer;  // Answer::text() of each
  std::function<void(const LoadResult&)> on_look;   // once a second
};

// The view from another thread.
struct LoadWatch {
  std::atomic<bool> stop{false};  // finish what stands, begin nothing, end
  std::atomic<std::uint64_t> answered{0};
};

class Load {
 public:
  // `watch` outlives it. Throws std::invalid_argument for an address that it can't read, std::runtime_error
  // where there are not enough descriptors, std::system_error where epoll fails.
  Load(LoadPlan plan, LoadWatch& watch);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

inline LoadResult run_load(const LoadPlan& plan, LoadWatch& watch) { return Load(plan, watch).run(); }

}  // namespace brood::load
