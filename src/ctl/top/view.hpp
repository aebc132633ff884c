// SPDX-License-Identifier: MIT
// What of the model is shown, and how keys change that. No input or output: it is tested by itself.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/top/model.hpp"

namespace brood::ctl {

enum class Column : std::uint8_t {
  pid,
  service,
  state,
  time,
  cpu,
  memory,
  connections,
  rate,
  open,
  note,
  peer
};
inline constexpr std::array<std::string_view, 11> column_names = {
    "PID", "SERVICE", "STATE", "TIME", "CPU", "MEM", "CONNS", "CONN/S", "OPEN", "NOTE", "PEER"};
inline std::string_view name_of(Column column) { return brood::name_of(column, column_names); }

// What is typed, or asked.
enum class Prompt : std::uint8_t { none, note, time, service, retire, reload };

struct Filters {
  std::string service, note;            // parts of the name; of the note or the peer
  std::chrono::nanoseconds at_least{};  // in the state
};

// Text in place of the children: help, a stack. Empty: none.
struct Page {
  std::vector<std::string> lines;
  std::size_t top = 0;
};

struct View {
  bool services = false;  // the list of services is shown; else children
  std::string opened;     // the service whose children are shown; "": of all
  Column sort = Column::state;
  bool reversed = false;
  Filters filters;
  std::string selected_service;
  pid_t selected = 0;   // a child
  std::size_t row = 0;  // of what is selected: if that is gone, its place is selected
  std::size_t top = 0;  // the first row that is shown
  Prompt prompt = Prompt::none;
  std::string typed;
  pid_t asked = 0;  // the child that the question is about
  std::string message;
  Page page;
};

struct Action {
  enum class Kind : std::uint8_t { none, quit, retire, reload, stack };
  Kind kind = Kind::none;
  pid_t pid = 0;
  std::string service;
};

// A row of the table of children. Points into the model.
struct Row {
  const ServiceSnapshot* service;
  const SlotSnapshot* slot;
  double rate;                    // connections a second
  const ProcessFigures* process;  // nullptr: not known
};

View first_view(const Model& model, const std::string& service);                        // "": none was named
std::vector<Row> rows_of(const Model& model, const View& view);                         // filtered and sorted
std::vector<const ServiceSnapshot*> services_of(const Model& model, const View& view);  // filtered
// Columns that have something to say, from left to right.
std::vector<Column> columns_of(const Model& model, const View& view);
// What is selected is there and is shown: `room` is the number of rows that there are.
void settle(View& view, const Model& model, std::size_t room);
// `room`: as above.
Action press(View& view, const Model& model, int key, std::size_t room);

}  // namespace brood::ctl
