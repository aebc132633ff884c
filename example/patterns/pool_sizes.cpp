// SPDX-License-Identifier: MIT
// Shows how many children or threads a live server needs: it reads the scoreboard twice, as broodctl does.
//   In the books: N + 1 threads if they compute, 2N + 1 if they wait half of the time (N: processors);
//   Little's law, L = lambda * W: requests in the system = requests a second * seconds for each.
//   Take N + 1 or 2N + 1 before there are figures, then Little's number with half as many again. More helps
//   only if W is made of waiting, not of a queue for a processor.
#include <brood/snapshot.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>

namespace {

// The mean, from a histogram whose bucket i ends at 2^i microseconds.
double mean_seconds(const brood::FiguresSnapshot& before, const brood::FiguresSnapshot& after) {
  double sum = 0;
  double number = 0;
  for (std::size_t i = 0; i < after.latency.size(); ++i) {
    const auto ended = static_cast<double>(after.latency[i] - before.latency[i]);
    sum += ended * 0.75e-6 * std::exp2(static_cast<double>(i));  // the middle of the bucket
    number += ended;
  }
  return number > 0 ? sum / number : 0;
}

int run(const std::string& server, unsigned seconds) {
  const bool name = server.find('/') == std::string::npos;
  const auto path = name ? brood::default_runtime_directory() + "/" + server + ".scoreboard" : server;
  const auto before = brood::Snapshot::read(path).services;
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const auto after = brood::Snapshot::read(path).services;
  const unsigned n = std::thread::hardware_concurrency();
  std::printf("processors: N = %u, N + 1 = %u, 2N + 1 = %u\n", n, n + 1, 2 * n + 1);
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const auto &was = before[i], &now = after[i];
    const double rate = static_cast<double>(now.total.finished - was.total.finished) / seconds;
    const double stay = mean_seconds(was.total, now.total);
    const double all = rate * stay;
    std::printf("%s: lambda = %.1f / s, W = %.2f ms, L = %.1f\n", now.name.c_str(), rate, stay * 1000, all);
    std::printf("with half as many again: %.0f; open now: %u\n", std::ceil(all * 1.5), now.open_connections);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  unsigned seconds = 10;
  const std::string word = argc > 2 ? argv[2] : "10";
  const auto read = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (argc >= 2 && argc <= 3 && read.ptr == word.data() + word.size() && seconds > 0)
    return run(argv[1], seconds);
  std::fputs("usage: pool_sizes NAME|SCOREBOARD [SECONDS]\n", stderr);
  return 64;
} catch (const std::exception& error) {
  return std::fprintf(stderr, "pool_sizes: %s\n", error.what()), 1;
}
