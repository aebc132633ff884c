// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ctl/advise/advice.hpp"

namespace brood::ctl {
namespace {

using Json = nlohmann::ordered_json;

// Waits without end are null.
Json seconds(double time) { return std::isfinite(time) ? Json(time) : Json(nullptr); }

Json waits_as_json(const Queue& queue, const Wish& wish, std::uint64_t max_clients, std::uint32_t capacity) {
  const Waits at = waits_at(queue, max_clients * capacity);
  return {{"max_clients", max_clients},
          {"occupied", at.occupied},
          {"share_that_waits", at.chance},
          {"share_that_waits_longer", at.chance_of_longer(wish.within)},
          {"mean_wait_seconds", seconds(at.mean)}};
}

}  // namespace

std::string advice_as_json(const std::vector<Advised>& services, const Wish& wish) {
  Json list = Json::array();
  for (const auto& [name, work, means, counts_connections] : services) {
    const Queue& queue = work.queue;
    const std::uint32_t capacity = std::max(means.capacity, 1U);
    Json service{{"name", name},
                 {"seconds", work.seconds},
                 {"accepted", work.accepted},
                 {"finished", work.finished},
                 {"too_thin", work.thin}};
    if (!work.thin) {
      const AdvisedLimits limits = limits_for(queue, wish, capacity);
      service.update({{"arrivals_per_second", queue.arrivals},
                      {"arrival_variability", queue.arrival_variability},
                      {"independent", work.independent},
                      {"service_seconds", queue.service},
                      {"service_variability", queue.service_variability},
                      {"open_expected", queue.load()},
                      {"open_seen", work.open},
                      {"share_without_spare", work.all_taken},
                      {"child_bytes", means.memory_of_child},
                      {"available_bytes", means.memory_available},
                      {"today", waits_as_json(queue, wish, means.max_clients, capacity)},
                      {"wanted", waits_as_json(queue, wish, limits.max_clients, capacity)},
                      {"settings",
                       {{"start_servers", limits.start_servers},
                        {"min_spare_servers", limits.min_spare_servers},
                        {"max_spare_servers", limits.max_spare_servers},
                        {"max_clients", limits.max_clients}}}});
      if (wish.max_clients) service["what_if"] = waits_as_json(queue, wish, *wish.max_clients, capacity);
    }
    list.push_back(std::move(service));
  }
  return Json{{"wanted_share", wish.share}, {"within_seconds", wish.within}, {"services", list}}.dump(2) +
         '\n';
}

}  // namespace brood::ctl
