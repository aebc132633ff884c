// SPDX-License-Identifier: MIT
#include "ctl/simulate/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.hpp"

namespace brood::ctl {
namespace {

constexpr double left = 64, right = 780, image_width = 800, image_height = 440;

constexpr auto style = R"(<style>
svg { color: #222; font: 12px sans-serif; }
.ground { fill: #fff; }
text { fill: currentColor; }
.axis { stroke: currentColor; fill: none; }
.grid { stroke: currentColor; stroke-opacity: 0.15; }
.children { stroke: #1f6fb4; fill: none; stroke-width: 2; }
.busy { stroke: #c8510a; fill: none; stroke-width: 1.5; }
.waiting { stroke: #b0202e; fill: none; stroke-width: 1.5; }
.limit { stroke: currentColor; stroke-dasharray: 6 4; stroke-opacity: 0.6; }
@media (prefers-color-scheme: dark) {
  svg { color: #ddd; }
  .ground { fill: #16181c; }
  .children { stroke: #6db3f2; }
  .busy { stroke: #ffa657; }
  .waiting { stroke: #ff7b86; }
}
</style>
)";

std::string number(double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.6g", value);
  return digits.data();
}
std::string place(double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.1f", value);
  return digits.data();
}

// 1, 2 or 5 times a power of ten, so that there are at most `most` steps.
double nice_step(double range, double most, double least) {
  double step = least;
  for (int i = 0; range / step > most; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

std::string line(const char* css, double x1, double y1, double x2, double y2) {
  return text("<line class=\"", std::string_view(css), "\" x1=\"", place(x1), "\" y1=\"", place(y1),
              "\" x2=\"", place(x2), "\" y2=\"", place(y2), "\"/>\n");
}
std::string words(double x, double y, const char* anchor, const std::string& what) {
  return text("<text x=\"", place(x), "\" y=\"", place(y), "\" text-anchor=\"", std::string_view(anchor),
              "\">", what, "</text>\n");
}

// One of the two diagrams, which have the same times.
class Diagram {
 public:
  Diagram(double top, double bottom, double seconds, double highest)
      : top_(top), bottom_(bottom), seconds_(seconds), step_(nice_step(std::max(highest, 1.0), 5, 1)) {
    most_ = std::ceil(std::max(highest, 1.0) / step_) * step_;
  }
  double x(double seconds) const { return left + seconds / seconds_ * (right - left); }
  double y(double value) const { return bottom_ - value / most_ * (bottom_ - top_); }

  std::string axes() const {
    std::string out;
    for (int i = 0; i * step_ <= most_; ++i) {
      const double value = i * step_;
      out += line("grid", left, y(value), right, y(value));
      out += words(left - 8, y(value) + 4, "end", number(value));
    }
    const double each = nice_step(seconds_, 10, 0.01);
    for (int i = 0; i * each <= seconds_ * 1.0001; ++i) {
      out += line("axis", x(i * each), bottom_, x(i * each), bottom_ + 5);
      out += words(x(i * each), bottom_ + 18, "middle", number(i * each));
    }
    return out + line("axis", left, bottom_, right, bottom_) + line("axis", left, top_, left, bottom_);
  }

  template <typename Value>
  std::string curve(const char* css, const std::vector<SimulatedStep>& steps, const Value& value) const {
    std::string out = text("<polyline class=\"", std::string_view(css), "\" points=\"");
    for (const auto& step : steps)
      out += text(place(x(std::chrono::duration<double>(step.at).count())), ',', place(y(value(step))), ' ');
    return out + "\"/>\n";
  }

 private:
  double top_, bottom_, seconds_, step_, most_ = 1;
};

std::string escaped(const std::string& title) {
  std::string out;
  for (const char c : title)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

}  // namespace

std::string chart(const std::vector<SimulatedStep>& steps, unsigned max_clients, const std::string& title) {
  const double seconds = steps.empty() ? 1 : std::chrono::duration<double>(steps.back().at).count();
  unsigned most_children = 0, most_waiting = 0;
  for (const auto& step : steps) {
    most_children = std::max(most_children, step.children);
    most_waiting = std::max(most_waiting, step.most_waiting);
  }
  const Diagram upper(44, 260, seconds, most_children), lower(310, 396, seconds, most_waiting);
  std::string out = text(std::string_view(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )"),
                         number(image_width), ' ', number(image_height), std::string_view(R"(" role="img">)"),
                         "<title>", escaped(title), "</title>\n", std::string_view(style));
  out += R"(<rect class="ground" width="100%" height="100%"/>)";
  out += words(left, 20, "start", escaped(title));
  out += upper.axes() + lower.axes();
  if (max_clients <= most_children) {
    out += line("limit", left, upper.y(max_clients), right, upper.y(max_clients));
    out += words(right, upper.y(max_clients) - 4, "end", text("max-clients ", max_clients));
  }
  out += upper.curve("children", steps, [](const SimulatedStep& step) { return double(step.children); });
  out += upper.curve("busy", steps, [](const SimulatedStep& step) { return double(step.busy); });
  out += lower.curve("waiting", steps, [](const SimulatedStep& step) { return double(step.most_waiting); });
  double x = left;
  for (const auto& [css, what] : {std::pair("children", "children"), std::pair("busy", "busy children")}) {
    out += line(css, x, 34, x + 20, 34) + words(x + 26, 38, "start", what);
    x += 100;
  }
  out += line("waiting", left, 298, left + 20, 298) + words(left + 26, 302, "start", "connections that wait");
  out += words((left + right) / 2, 432, "middle", "seconds");
  return out + "</svg>\n";
}

}  // namespace brood::ctl
