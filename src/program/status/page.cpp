// SPDX-License-Identifier: MIT
#include "program/status/page.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "program/status/page_source.hpp"
#include "scoreboard/report/words.hpp"

namespace brood {
namespace {

constexpr std::size_t largest_page = std::size_t{58} * 1024;  // bytes, with Rows::some
constexpr std::size_t most_marks = 4096;

std::string html(std::string_view written) {
  std::string all;
  for (const char c : harmless(written)) {
    if (c == '<')
      all += "&lt;";
    else if (c == '>')
      all += "&gt;";
    else if (c == '&')
      all += "&amp;";
    else if (c == '"')
      all += "&quot;";
    else
      all += c;
  }
  return all;
}

// The end tags of rows and cells may be left out.
std::string row(std::initializer_list<std::string> cells, std::string_view tag = "td") {
  std::string all = "<tr>";
  for (const auto& cell : cells) all += text('<', tag, '>', cell);
  return all + '\n';
}

std::string services_of(const Snapshot& snapshot) {
  std::string all = "<div class=\"card wide\"><table>\n" +
                    row({"service", "state", "children", "busy", "idle", "spare", "max-clients", "open",
                         "accepted", "finished", "failed", "timed out", "aborted", "read", "written"},
                        "th");
  for (const auto& service : snapshot.services) {
    const FiguresSnapshot& total = service.total;
    // A program that does not report its connections has no figures of them.
    const auto count = [&](std::uint64_t figure) {
      return service.counts_connections ? grouped(figure) : "-";
    };
    const auto size = [&](std::uint64_t figure) { return service.counts_connections ? bytes(figure) : "-"; };
    all += row({html(service.name), std::string(name_of(service.state)), grouped(service.children()),
                count(service.busy), count(service.idle), count(service.spare), grouped(service.max_clients),
                count(service.open_connections), count(total.accepted), count(total.finished),
                count(total.failed), count(total.timed_out), count(total.aborted), size(total.bytes_read),
                size(total.bytes_written)});
  }
  return all + "</table></div>\n";
}

// A mark for each slot, up to the last child.
std::string marks_of(const Snapshot& snapshot) {
  constexpr std::array<char, 5> marks = {'.', 'S', '_', 'W', 'L'};  // by SlotState
  std::string all;
  std::size_t left = most_marks;
  for (const auto& service : snapshot.services) {
    std::string its;
    for (const auto& slot : service.slots) its += marks.at(static_cast<std::size_t>(slot.state));
    its.resize(std::min(its.find_last_not_of('.') + 1, left));
    left -= its.size();
    all += text(html(service.name), ": ", its, '\n');
  }
  return "<div class=\"card\"><h3>Scoreboard</h3><pre>" + all +
         "</pre><p class=\"soft\"><small>W busy, _ idle, S starting, L leaving, . empty</small></div>\n";
}

struct ShownChild {
  const ServiceSnapshot* service;
  const SlotSnapshot* slot;
};

// Those that are busy first, and of them those that are so for long.
std::vector<ShownChild> children_of(const Snapshot& snapshot) {
  std::vector<ShownChild> all;
  for (const auto& service : snapshot.services)
    for (const auto& slot : service.slots)
      if (slot.state != SlotState::empty) all.push_back({&service, &slot});
  std::stable_sort(all.begin(), all.end(), [](const ShownChild& a, const ShownChild& b) {
    return a.slot->busy_for > b.slot->busy_for;
  });
  return all;
}

std::string children_table(const Snapshot& snapshot, std::size_t room) {
  std::string all = "<div class=\"card wide\"><h3>Children</h3><table>\n" +
                    row({"service", "slot", "pid", "state", "age", "busy for", "open", "accepted", "failed",
                         "peer", "note"},
                        "th");
  std::size_t shown = 0;
  const std::vector<ShownChild> children = children_of(snapshot);
  for (const auto& [service, slot] : children) {
    const std::string line = row(
        {html(service->name), text(slot->index), text(slot->pid),
         text(slot_state_names.at(static_cast<std::size_t>(slot->state)), slot->stopped ? ", stopped" : ""),
         text(slot->age), slot->busy_for.count() > 0 ? text(slot->busy_for) : "",
         text(slot->open_connections), grouped(slot->figures.accepted), grouped(slot->figures.failed),
         html(slot->peer), html(slot->note)});
    if (all.size() + line.size() > room) break;
    all += line;
    ++shown;
  }
  all += "</table>";
  if (shown < children.size())
    all += text("<p>", grouped(children.size() - shown), " more: <a href=\"/children\">all children</a>");
  return all + "</div>\n";
}

std::string head_of(const Snapshot& snapshot, const Verdict& verdict) {
  std::string all =
      text("<header><h1>", html(snapshot.name), "</h1><span class=\"badge ", name_of(verdict.level), "\">",
           name_of(verdict.level), "</span><small class=\"soft\">up ", snapshot.age, ", pid ",
           snapshot.parent_pid, "</small></header>\n<ul class=\"advice\">");
  for (const auto& problem : verdict.problems)
    all += text("<li class=\"", name_of(problem.level), "\">", html(problem.sentence()));
  return all + "</ul>\n";
}

void replace_all(std::string& in, std::string_view mark, std::string_view by) {
  for (auto at = in.find(mark); at != std::string::npos; at = in.find(mark, at + by.size()))
    in.replace(at, mark.size(), by);
}

}  // namespace

HttpAnswer page(const Snapshot& snapshot, const Verdict& verdict, Rows rows, std::string_view nonce) {
  std::string plain = head_of(snapshot, verdict) + services_of(snapshot);
  if (rows == Rows::some) plain += marks_of(snapshot);
  std::string whole(page_source);
  const std::size_t used = whole.size() + plain.size();
  plain += children_table(snapshot, rows == Rows::all     ? SIZE_MAX
                                    : used > largest_page ? 0
                                                          : largest_page - used);
  if (rows == Rows::all) whole.erase(whole.find("<script"));
  replace_all(whole, "@NONCE@", nonce);
  replace_all(whole, "@TITLE@", html(snapshot.name));
  replace_all(whole, "@PLAIN@", plain);
  return {.type = "text/html; charset=utf-8",
          .body = std::move(whole),
          .fields = {{"Content-Security-Policy",
                      text("default-src 'none'; script-src 'nonce-", nonce, "'; style-src 'nonce-", nonce,
                           "'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                           "frame-ancestors 'none'")},
                     {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace brood
