// SPDX-License-Identifier: MIT
#include "ctl/advise/advice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

// Beyond this, those that come cannot be told from those that are let in.
constexpr double saturated = 0.95;

std::string number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), value < 100 ? "%.3g" : "%.0f", value);
  return buffer.data();
}
std::string percent_of(double share) { return number(share * 100) + '%'; }
std::string time(double seconds) {
  constexpr double longest = 1e6;
  if (seconds > longest) return "without end";
  return text(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}
std::string row(std::string label, const std::string& what) {
  constexpr std::size_t width = 13;
  label.resize(width, ' ');
  return label + what + '\n';
}

std::string waits(const Queue& queue, const Wish& wish, std::uint64_t max_clients, std::uint32_t capacity) {
  const Waits at = waits_at(queue, max_clients * capacity);
  if (at.occupied >= 1)
    return text("max-clients = ", max_clients, ": too few: ", number(queue.load()),
                " are needed all the time");
  return text("max-clients = ", max_clients, ": ", percent_of(at.occupied), " occupied, ",
              percent_of(at.chance), " wait, ", percent_of(at.chance_of_longer(wish.within)), " longer than ",
              time(wish.within), "; mean wait ", time(at.mean));
}

std::string memory(std::uint64_t children, const Means& means) {
  if (means.memory_of_child <= 0) return "not known: the children can't be looked at";
  const double more = static_cast<double>(children) - means.children;
  const bool fits = more * means.memory_of_child <= means.memory_available;
  return text(bytes(static_cast<std::uint64_t>(means.memory_of_child)), " a child, ",
              bytes(static_cast<std::uint64_t>(means.memory_of_child * static_cast<double>(children))),
              " for ", children, "; ", bytes(static_cast<std::uint64_t>(means.memory_available)),
              " are available", fits ? "" : ": TOO LITTLE");
}

}  // namespace

AdvisedLimits limits_for(const Queue& queue, const Wish& wish, std::uint32_t capacity) {
  const auto children = [&](double connections) {
    return static_cast<std::uint64_t>(std::ceil(std::max(connections, 1.0) / capacity));
  };
  const double spread = std::sqrt(queue.load());
  AdvisedLimits limits{
      .start_servers = children(queue.load() + spread),
      .min_spare_servers = children(spread),
      .max_spare_servers = 0,
      .max_clients = children(static_cast<double>(servers_for(queue, wish.share, wish.within)))};
  limits.max_spare_servers = std::max(children(3 * spread), limits.min_spare_servers + 1);
  limits.max_clients = std::max(limits.max_clients, limits.min_spare_servers + 1);
  limits.start_servers = std::min(limits.start_servers, limits.max_clients);
  return limits;
}

std::string advice(const std::string& service, const Workload& work, const Wish& wish, const Means& means) {
  const Queue& queue = work.queue;
  const std::uint32_t capacity = std::max(means.capacity, 1U);
  std::string out =
      text(harmless(service), ": looked at for ", time(work.seconds), ": ", grouped(work.accepted),
           " connections accepted, ", grouped(work.finished), " finished\n");
  if (work.thin)
    return out +
           row("too thin", text("at least ", fewest_connections,
                                " of each are needed: look for longer, with --for, or when clients come"));
  out += row("arrivals",
             text(number(queue.arrivals), " a second, variability ", number(queue.arrival_variability),
                  work.independent ? " (as of independent clients)" : " (they come in bursts or in step)"));
  out += row("service", text(time(queue.service), " on average, variability ",
                             number(queue.service_variability), " (1: exponential)"));
  out +=
      row("occupancy", text(number(queue.arrivals), "/s x ", time(queue.service), " = ", number(queue.load()),
                            " connections open (Little's law); seen: ", number(work.open)));
  if (std::abs(work.open - queue.load()) > 0.25 * queue.load() + 1)
    out += row("", "these differ: the load has changed, or long connections have not ended");
  if (work.all_taken >= saturated)
    out +=
        row("saturated", text("no child was free at ", percent_of(work.all_taken),
                              " of the looks: more may come than are let in, so these are the least limits"));
  out += row("today", waits(queue, wish, means.max_clients, capacity));
  if (wish.max_clients) {
    out += row("what if", waits(queue, wish, *wish.max_clients, capacity));
    out += row("", "memory: " + memory(*wish.max_clients, means));
  }
  const AdvisedLimits limits = limits_for(queue, wish, capacity);
  out += row("wanted", text("at most ", percent_of(wish.share), " wait longer than ", time(wish.within)));
  out += row("", waits(queue, wish, limits.max_clients, capacity));
  out += row("", "memory: " + memory(limits.max_clients, means));
  out += row("settings", text("max-clients = ", limits.max_clients));
  out += row("", text("start-servers = ", limits.start_servers));
  out += row("", text("min-spare-servers = ", limits.min_spare_servers));
  out += row("", text("max-spare-servers = ", limits.max_spare_servers));
  out += row("sources", "Erlang C with the correction of Allen and Cunneen (Allen 1990, Whitt 1993);");
  out += row("", "spares: a square root of the load (Halfin and Whitt 1981)");
  return out;
}

}  // namespace brood::ctl
