// SPDX-License-Identifier: MIT
// What broodctl advise says of a live server, against what its clients saw.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <future>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

#include "measured_server.hpp"
#include "measures.hpp"
#include "replay.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using std::chrono::milliseconds;

constexpr unsigned children = 10;
constexpr double mean_service = 0.1;   // seconds
constexpr milliseconds settles{2000};  // before advise begins to look
// Who waits for less was delayed by the machine.
constexpr milliseconds is_wait{4};

struct Case {
  std::string name;
  double load;           // erlangs
  bool is_heavy_tailed;  // otherwise exponential
};

milliseconds in_milliseconds(double seconds) { return milliseconds(std::lround(seconds * 1000)); }

// Eight in a hundred are long: a squared coefficient of variation of 4.
double heavy_tailed(std::mt19937_64& random) {
  constexpr double share_of_long = 0.08;
  const double long_mean = mean_service * 5.2,
               short_mean = (mean_service - share_of_long * long_mean) / (1 - share_of_long);
  const bool is_long = std::bernoulli_distribution(share_of_long)(random);
  return std::exponential_distribution<double>(1 / (is_long ? long_mean : short_mean))(random);
}

std::vector<test::ReplayedClient> clients_of(const Case& what, milliseconds length) {
  std::mt19937_64 random(11);  // NOLINT(cert-msc51-cpp): the same each time
  std::exponential_distribution<double> gap(what.load / mean_service), service(1 / mean_service);
  std::vector<test::ReplayedClient> clients;
  for (double at = gap(random); in_milliseconds(at) < length; at += gap(random))
    clients.push_back({in_milliseconds(at),
                       in_milliseconds(what.is_heavy_tailed ? heavy_tailed(random) : service(random))});
  return clients;
}

nlohmann::json advise(const MeasuredServer& server, milliseconds time) {
  const TemporaryDirectory directory;
  const std::string output = directory / "output";
  const std::string command = neighbour("broodctl") + " --server=" + server.scoreboard() +
                              " advise --json --for=" + std::to_string(time.count()) + "ms >" + output;
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  return nlohmann::json::parse(read_file(output))["services"].at(0);
}

// Of those who came while advise looked: the share that waited for a child.
double share_that_waited(const test::Replayed& result, milliseconds begin, milliseconds end) {
  double all = 0, waited = 0;
  for (const auto& answer : result.answers) {
    if (answer.at < begin || answer.at >= end) continue;
    ++all;
    if (answer.took - std::chrono::nanoseconds(std::stoll(answer.text)) > is_wait) ++waited;
  }
  if (all == 0) throw std::runtime_error("no answers");
  return waited / all;
}

}  // namespace

void measure_advise(Report& report, Extent extent) {
  const milliseconds looks = extent.of(milliseconds(60'000), milliseconds(10'000));
  const Case cases[] = {
      {"5 busy of 10, exponential", 5, false},     {"7 busy of 10, exponential", 7, false},
      {"8.5 busy of 10, exponential", 8.5, false}, {"5 busy of 10, heavy-tailed", 5, true},
      {"7 busy of 10, heavy-tailed", 7, true},     {"8.5 busy of 10, heavy-tailed", 8.5, true}};
  for (const auto& what : cases) {
    const MeasuredServer server("brood-bench-hold", fixed_pool(children));
    auto asks = std::async(std::launch::async, [&] {
      pause_for(settles);
      return advise(server, looks);
    });
    const milliseconds length = settles + looks;
    const test::Replayed result =
        test::replay(server.address(), clients_of(what, length), {length, length, [](milliseconds) {}});
    const nlohmann::json said = asks.get();
    const double chance = said["today"]["share_that_waits"],
                 seen = share_that_waited(result, settles, length);
    const bool near = std::abs(chance - seen) <= std::max(0.2 * seen, 0.01);
    report.add(pass_if(near && result.failed == 0), what.name + ": share that waits, said / seen",
               decimal(chance * 100, 1) + " / " + decimal(seen * 100, 1) + " %; open " +
                   decimal(said["open_expected"], 2) + ", variability " +
                   decimal(said["service_variability"], 2),
               "within a fifth or a point");
  }
}

}  // namespace brood::bench
