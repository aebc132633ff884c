// SPDX-License-Identifier: MIT
#include "ctl/simulate/arrivals.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/advise/workload.hpp"
#include "ctl/simulate/units.hpp"

namespace brood::ctl {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t most_arrivals = 20'000'000;

nanoseconds from_seconds(double seconds) {
  return nanoseconds(static_cast<nanoseconds::rep>(std::llround(seconds * 1e9)));
}

class RandomTime {
 public:
  // The gamma distribution has every mean and variability.
  explicit RandomTime(const ServiceTimes& times)
      : constant_(times.variability <= 0),
        mean_(times.mean),
        gamma_(constant_ ? 1 : 1 / times.variability, constant_ ? 1 : times.mean * times.variability) {}
  nanoseconds operator()(Random& random) {
    return from_seconds(constant_ || mean_ <= 0 ? mean_ : gamma_(random));
  }

 private:
  bool constant_;
  double mean_;
  std::gamma_distribution<double> gamma_;
};

void check_number(double arrivals) {
  if (arrivals > static_cast<double>(most_arrivals))
    throw Error(text("these are more than ", most_arrivals, " connections: simulate a shorter time"));
}

void sort(Load& load) {
  std::ranges::stable_sort(load.arrivals, {}, [](const Arrival& arrival) { return arrival.at; });
}

Interval parse_interval(std::string_view part) {
  const auto wrong = [&] {
    return Error(text('\'', part, "' is not of the form 'RATE/s for TIME', as '200/s for 10s'"));
  };
  constexpr std::string_view middle = "/s for ";
  const auto at = part.find(middle);
  if (at == std::string_view::npos) throw wrong();
  Interval interval;
  const auto [end, error] = std::from_chars(part.data(), part.data() + at, interval.rate);
  if (error != std::errc{} || end != part.data() + at || !(interval.rate >= 0)) throw wrong();
  interval.seconds = parse_seconds(trim(part.substr(at + middle.size())));
  return interval;
}

}  // namespace

std::vector<Interval> parse_intervals(std::string_view written) {
  std::vector<Interval> intervals;
  double connections = 0;
  for (const auto part : split(written, ',')) {
    intervals.push_back(parse_interval(trim(part)));
    connections += intervals.back().rate * intervals.back().seconds;
  }
  check_number(connections);
  return intervals;
}

Load load_of(const std::vector<Interval>& intervals, const ServiceTimes& times, Random& random) {
  Load load;
  RandomTime service(times);
  double begin = 0;
  for (const auto& [rate, seconds] : intervals) {
    const double end = begin + seconds;
    if (rate > 0) {
      std::exponential_distribution<double> gap(rate);
      double at = begin + gap(random);
      while (at < end) {
        load.arrivals.push_back({from_seconds(at), service(random)});
        at += gap(random);
      }
    }
    begin = end;
  }
  load.length = from_seconds(begin);
  return load;
}

Load read_load(std::string_view content, const std::string& name) {
  Load load;
  const auto lines = split(content, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = trim(lines[i].substr(0, lines[i].find('#')));
    if (line.empty()) continue;
    double numbers[2] = {};
    const char* from = line.data();
    const char* const end = line.data() + line.size();
    bool good = true;
    for (double& number : numbers) {
      while (from != end && (*from == ' ' || *from == '\t')) ++from;
      const auto result = std::from_chars(from, end, number);
      good = good && result.ec == std::errc{} && number >= 0 && number < 1e9;
      from = result.ptr;
    }
    if (!good || from != end)
      throw Error(text(name, ':', i + 1, ": '", escape(line, Keep::ascii),
                       "' is not of the form 'ARRIVAL SERVICE', two times in seconds"));
    load.arrivals.push_back({from_seconds(numbers[0]), from_seconds(numbers[1])});
    load.length = std::max(load.length, from_seconds(numbers[0] + numbers[1]));
  }
  if (load.arrivals.empty()) throw Error(name + ": there is no connection in it");
  check_number(static_cast<double>(load.arrivals.size()));
  sort(load);
  return load;
}

Load load_of(const ServiceSnapshot& service, Random& random) {
  const auto& history = service.history;
  const auto ended = [](const SecondSnapshot& second) {
    return std::uint64_t{second.finished} + second.aborted;
  };
  const auto first = std::ranges::find_if(history, [&](const auto& second) { return ended(second) > 0; });
  std::uint64_t finished = 0;
  double duration = 0;
  for (auto second = first; second != history.end(); ++second) {
    finished += second->finished;
    duration += std::chrono::duration<double>(second->duration).count();
  }
  if (finished < fewest_connections)
    throw Error(text("at least ", fewest_connections,
                     " connections of the last ten minutes are needed, and there are ", finished,
                     ": describe the load with --load"));
  ServiceTimes times{.mean = duration / static_cast<double>(finished),
                     .variability = variability_of(service.total.latency)};
  Load load;
  std::uniform_real_distribution<double> within(0, 1);
  double begin = 0;
  for (auto second = first; second != history.end(); ++second, begin += 1) {
    ServiceTimes its = times;
    if (second->finished > 0)
      its.mean = std::chrono::duration<double>(second->duration).count() / second->finished;
    RandomTime time(its);
    for (std::uint64_t i = ended(*second); i > 0; --i)
      load.arrivals.push_back({from_seconds(std::max(begin + within(random) - its.mean, 0.0)), time(random)});
  }
  load.length = from_seconds(begin);
  sort(load);
  return load;
}

}  // namespace brood::ctl
