// SPDX-License-Identifier: MIT
// The parts of a frame.
#pragma once

#include <string>

#include "ctl/top/frame.hpp"
#include "ctl/top/screen/cells.hpp"
#include "ctl/top/series.hpp"
#include "ctl/top/view.hpp"

namespace brood::ctl {

// What the upper part is about: one service, or all together.
struct Scope {
  std::vector<const ServiceSnapshot*> services;
  ServiceSnapshot counts;  // of one service, or the sum
  const ServiceModel* model;
};
Scope scope_of(const Model& model, const View& view);

void draw_head(Canvas& canvas, const Model& model, const View& view, const Scope& scope);  // three rows
void draw_bars(Canvas& canvas, std::size_t row, const Scope& scope, bool utf8);            // two
void draw_series(Canvas& canvas, std::size_t row, const Scope& scope, bool utf8);          // two
void draw_letters(Canvas& canvas, std::size_t row, std::size_t rows,
                  const Scope& scope);       // a key, and `rows`
std::size_t letters_of(const Scope& scope);  // how many places the scoreboard has

// From `row` to before `end`, with a heading; returns the row behind the last one.
std::size_t draw_children(Canvas& canvas, std::size_t row, std::size_t end, const Model& model,
                          const View& view, bool selectable);
std::size_t draw_services(Canvas& canvas, std::size_t row, std::size_t end, const Model& model,
                          const View& view, const Target& target);

// A row of blocks whose heights are the values, against the highest of them.
void draw_sparkline(Canvas& canvas, std::size_t column, std::size_t row, const std::vector<double>& values,
                    Style style, bool utf8);
std::string short_bytes(double bytes);   // "512B", "1.2K", "34M"
std::string short_number(double value);  // "0", "1.2", "120", "12k"

}  // namespace brood::ctl
