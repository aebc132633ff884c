// SPDX-License-Identifier: MIT
// broodctl advise: formulas against known values, and against a simulated service.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <queue>
#include <random>

#include "ctl/advise/advice.hpp"
#include "ctl/top/model.hpp"

using namespace brood;
using namespace brood::ctl;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using Random = std::mt19937_64;

struct Simulated {
  Workload work;
  double waited = 0, waited_long = 0;  // shares of the connections; long: 5 ms
};

// A service of so many servers, which is looked at each 100 ms as broodctl does. First come, first served.
Simulated simulate(std::uint64_t servers, double load, const std::function<double(Random&)>& service,
                   unsigned connections) {
  Random random(11);  // NOLINT(cert-msc51-cpp): the same each time
  std::exponential_distribution<double> gap(load * static_cast<double>(servers) / 0.02);
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at, ends;
  for (std::uint64_t i = 0; i < servers; ++i) free_at.push(0);
  FiguresSnapshot total;
  std::vector<LookAtService> looks;
  Simulated result;
  double now = 0;
  const auto finish_until = [&](double time) {
    for (; !ends.empty() && ends.top() <= time; ends.pop()) ++total.finished;
  };
  for (unsigned i = 0; i < connections; ++i) {
    now += gap(random);
    for (double next = static_cast<double>(looks.size()) * 0.1; next <= now; next += 0.1) {
      finish_until(next);
      looks.push_back({.at = Seconds(next), .total = total, .open = static_cast<std::uint32_t>(ends.size())});
    }
    const double start = std::max(now, free_at.top()), took = service(random);
    free_at.pop();
    free_at.push(start + took);
    ends.push(start + took);
    ++total.accepted;
    // The histogram and the time as if it were over; the number of those finished is right at each look.
    const auto microseconds = static_cast<std::uint64_t>(took * 1e6);
    ++total.latency[std::min<std::size_t>(std::bit_width(microseconds), latency_buckets - 1)];
    total.duration += std::chrono::microseconds(microseconds);
    if (start > now) result.waited += 1.0 / connections;
    if (start > now + 0.005) result.waited_long += 1.0 / connections;
  }
  result.work = workload_of(looks);
  return result;
}

double exponential(Random& random) { return std::exponential_distribution<double>(1 / 0.02)(random); }
// Most take 10 ms, some 110 ms: mean 20 ms, squared coefficient of variation 4.1.
double heavy(Random& random) {
  return std::exponential_distribution<double>(std::bernoulli_distribution(0.1)(random) ? 1 / 0.11
                                                                                        : 1 / 0.01)(random);
}

bool near(double is, double truth) { return std::abs(is - truth) <= std::max(0.2 * truth, 0.01); }

Workload work_of(double arrivals, double service) {
  return {.queue = {.arrivals = arrivals, .service = service},
          .seconds = 10,
          .accepted = 1000,
          .finished = 1000,
          .open = arrivals * service};
}

bool says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, part);
  return found;
}

}  // namespace

TEST_CASE("advise: Erlang's C formula") {
  CHECK(erlang_c(1, 0.5) == doctest::Approx(0.5));
  CHECK(erlang_c(2, 1) == doctest::Approx(1.0 / 3));
  CHECK(erlang_c(3, 2) == doctest::Approx(4.0 / 9));
  CHECK(erlang_c(5, 4) == doctest::Approx(0.5541).epsilon(0.0002));
  CHECK(erlang_c(10, 8) == doctest::Approx(0.4092).epsilon(0.0002));
  CHECK(erlang_c(4, 0) == 0);
  CHECK(erlang_c(4, 4) == 1);
  CHECK(erlang_c(0, 1) == 1);
  CHECK(erlang_c(100'000, 99'000) < 0.01);
}

TEST_CASE("advise: the wait of one server is that of Pollaczek and Khinchine") {
  Queue queue{.arrivals = 50, .service = 0.01};
  CHECK(waits_at(queue, 1).mean == doctest::Approx(0.01));
  queue.service_variability = 0;
  CHECK(waits_at(queue, 1).mean == doctest::Approx(0.005));
  CHECK(waits_at(queue, 1).chance_of_longer(0) == doctest::Approx(0.5));
  queue.arrivals = 100;
  CHECK(std::isinf(waits_at(queue, 1).mean));
  CHECK(waits_at(queue, 1).chance_of_longer(1) == 1);
}

TEST_CASE("advise: the fewest servers for a wish") {
  const Queue queue{.arrivals = 200, .service = 0.05};
  const std::uint64_t servers = servers_for(queue, 0.01, 0.005);
  CHECK(waits_at(queue, servers).chance_of_longer(0.005) <= 0.01);
  CHECK(waits_at(queue, servers - 1).chance_of_longer(0.005) > 0.01);
  CHECK(servers_for({}, 0.01, 0) == 1);
}

TEST_CASE("advise: the variability of times in a histogram") {
  Random random(3);  // NOLINT(cert-msc51-cpp)
  LatencyHistogram of_exponential{}, same{};
  for (int i = 0; i < 50'000; ++i)
    ++of_exponential[static_cast<std::size_t>(
        std::bit_width(static_cast<std::uint64_t>(exponential(random) * 1e6)))];
  CHECK(variability_of(of_exponential) == doctest::Approx(1).epsilon(0.1));
  same[15] = 1000;
  CHECK(variability_of(same) < 0.05);
  CHECK(variability_of({}) == 1);
}

TEST_CASE("advise: the variability of arrivals") {
  Random random(3);  // NOLINT(cert-msc51-cpp)
  std::poisson_distribution<int> poisson(20);
  std::vector<double> counts;
  for (int i = 0; i < 100; ++i) counts.push_back(poisson(random));
  bool independent = false;
  CHECK(dispersion_of(counts, independent) == 1);
  CHECK(independent);
  for (double& count : counts) count = 20;
  CHECK(dispersion_of(counts, independent) == 0);
  CHECK_FALSE(independent);
  for (std::size_t i = 0; i < counts.size(); i += 5) counts[i] = 120;
  CHECK(dispersion_of(counts, independent) > 10);
}

TEST_CASE("advise: the chance of waiting against a simulated service, at three loads") {
  for (const auto& [name, service] : {std::pair("exponential", std::function(exponential)),
                                      std::pair("heavy-tailed", std::function(heavy))})
    for (const double load : {0.5, 0.7, 0.9}) {
      constexpr std::uint64_t servers = 10;
      const Simulated truth = simulate(servers, load, service, 100'000);
      const Waits waits = waits_at(truth.work.queue, servers);
      CAPTURE(name);
      CAPTURE(load);
      CAPTURE(waits.chance);
      CAPTURE(truth.waited);
      CHECK(near(waits.chance, truth.waited));
      CAPTURE(waits.chance_of_longer(0.005));
      CAPTURE(truth.waited_long);
      // With a heavy tail, the wait is no longer exponential: fewer wait long than it says.
      const double said = waits.chance_of_longer(0.005);
      CHECK((near(said, truth.waited_long) ||
             (name == "heavy-tailed"s && said > truth.waited_long && said < 2 * truth.waited_long)));
      CHECK(truth.work.open ==
            doctest::Approx(truth.work.queue.load() + waits.mean * truth.work.queue.arrivals).epsilon(0.15));
    }
}

TEST_CASE("advise: what it says has its numbers and its sources") {
  const Means means{
      .max_clients = 12, .memory_of_child = 2 << 20, .memory_available = 1 << 30, .children = 12};
  const std::string text = advice("web", work_of(200, 0.05), {.max_clients = 24}, means);
  says(text, "web: looked at for 10s: 1,000 connections accepted, 1,000 finished\n");
  says(text, "200/s x 50ms = 10 connections open (Little's law); seen: 10\n");
  says(text, "today        max-clients = 12: 83.3% occupied, 44.9% wait, ");
  says(text, "what if      max-clients = 24: 41.7% occupied, ");
  says(text, "memory: 2.0 MiB a child, 48.0 MiB for 24; 1.0 GiB are available\n");
  says(text, "at most 1% wait longer than 5ms\n");
  says(text, "Allen and Cunneen");
  const AdvisedLimits limits = limits_for(work_of(200, 0.05).queue, {}, 1);
  CHECK(limits.max_clients == servers_for(work_of(200, 0.05).queue, 0.01, 0.005));
  CHECK(limits.min_spare_servers < limits.max_spare_servers);
  says(text, "settings     max-clients = " + std::to_string(limits.max_clients) + '\n');
  CHECK(limits_for(work_of(200, 0.05).queue, {}, 100).max_clients == 2);
}

TEST_CASE("advise: as JSON it says the same") {
  const Means means{
      .max_clients = 12, .memory_of_child = 2 << 20, .memory_available = 1 << 30, .children = 12};
  Workload thin = work_of(200, 0.05);
  thin.thin = true;
  const Workload work = work_of(200, 0.05);
  const Wish wish{.max_clients = 5};
  const auto all = nlohmann::json::parse(advice_as_json({{"web", work, means}, {"few", thin, means}}, wish));
  CHECK(all["wanted_share"] == 0.01);
  CHECK(all["within_seconds"] == 0.005);
  REQUIRE(all["services"].size() == 2);
  const auto& web = all["services"][0];
  CHECK(web["name"] == "web");
  CHECK(web["accepted"] == 1000);
  CHECK(web["open_expected"] == 10);
  CHECK(web["child_bytes"] == 2 << 20);
  const Waits today = waits_at(work.queue, 12);
  CHECK(web["today"]["max_clients"] == 12);
  CHECK(web["today"]["share_that_waits"] == today.chance);
  CHECK(web["today"]["share_that_waits_longer"] == today.chance_of_longer(0.005));
  CHECK(web["today"]["mean_wait_seconds"] == today.mean);
  CHECK(web["what_if"]["share_that_waits"] == 1);
  CHECK(web["what_if"]["mean_wait_seconds"].is_null());
  CHECK(web["settings"]["max_clients"] == limits_for(work.queue, wish, 1).max_clients);
  CHECK(web["wanted"]["max_clients"] == web["settings"]["max_clients"]);
  const auto& few = all["services"][1];
  CHECK(few["too_thin"] == true);
  CHECK_FALSE(few.contains("settings"));
}

TEST_CASE("advise: it says what it does not know") {
  Workload work = work_of(200, 0.05);
  const Means means{.max_clients = 8, .memory_of_child = 2 << 20, .memory_available = 1 << 20};
  says(advice("web", work, {}, means), "too few: 10 are needed all the time");
  says(advice("web", work, {}, means), "TOO LITTLE");
  says(advice("web", work, {}, {}), "memory: not known");
  work.all_taken = 1;
  says(advice("web", work, {}, means), "saturated    no child was free at 100% of the looks");
  work.open = 30;
  says(advice("web", work, {}, means), "these differ");
  work.thin = true;
  const std::string thin = advice("web", work, {}, means);
  says(thin, "too thin     at least 100 of each are needed");
  CHECK(thin.find("settings") == std::string::npos);
  FiguresSnapshot few;
  few.accepted = few.finished = 99;
  CHECK(workload_of({{.at = 0s}, {.at = 1s, .total = few}}).thin);
}
