// SPDX-License-Identifier: MIT
// Shows the choice of a worker: the thread that waits gives each request to a worker, by one of four rules.
//   In the books: random, round robin, least connections, work queue (Linux server books; UNP 30.6).
//   Take the shared queue, unless a worker keeps something that makes it faster than the others. With queues
//   of their own a request waits behind a long one while another worker is idle.
#include <atomic>
#include <brood/server_base.hpp>
#include <brood/settings.hpp>
#include <random>

#include "one_shot_loop.hpp"
#include "workers.hpp"

enum class Rule { random, round_robin, least_loaded, shared_queue };

struct Worker {
  patterns::Queue<brood::Connection*> queue;
  std::atomic<unsigned> load = 0;  // requests that wait or are being answered
};

class Choice : public brood::ServerBase {
  brood::ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }
  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override {
    settings.set_default("threads-per-child", {"4"});
    settings.choice("choice", rule_,
                    {{"random", Rule::random},
                     {"round-robin", Rule::round_robin},
                     {"least-loaded", Rule::least_loaded},
                     {"shared-queue", Rule::shared_queue}},
                    "Which worker gets a request.");
  }
  Worker& choose(std::vector<Worker>& workers) {
    if (rule_ == Rule::random) return workers[random_() % workers.size()];
    if (rule_ == Rule::round_robin) return workers[turn_++ % workers.size()];
    return *std::ranges::min_element(workers, {}, [](const Worker& worker) { return worker.load.load(); });
  }
  void serve(brood::Child& child) override {
    patterns::OneShotLoop loop(child);
    const unsigned threads = child.limits().threads;
    std::vector<Worker> workers(rule_ == Rule::shared_queue ? 1 : threads);  // one queue: each takes from it
    const auto work = [&](unsigned i) {
      Worker& worker = workers[i % workers.size()];
      for (; auto* const connection = worker.queue.take(); --worker.load)
        loop.with(*connection, [&] { return patterns::converse(*connection); });
    };
    const auto stop = [&](unsigned i) { workers[i % workers.size()].queue.put(nullptr); };
    const patterns::Workers running(threads, work, stop);
    loop.run([&](brood::Connection& connection) {
      Worker& chosen = choose(workers);
      ++chosen.load;
      chosen.queue.put(&connection);
    });
  }
  Rule rule_ = Rule::shared_queue;
  std::minstd_rand random_{std::random_device{}()};
  std::size_t turn_ = 0;
};

int main(int argc, char** argv) { return Choice().run(argc, argv); }
