// SPDX-License-Identifier: MIT
#include "ctl/top/top.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "ctl/top/frame.hpp"
#include "ctl/top/observer.hpp"
#include "ctl/top/own_command.hpp"
#include "ctl/top/screen/abilities.hpp"
#include "ctl/top/screen/differ.hpp"
#include "ctl/top/screen/keys.hpp"
#include "ctl/top/screen/terminal.hpp"

namespace brood::ctl {
namespace {

using Kind = Action::Kind;
using std::chrono::milliseconds;

struct Setup {
  std::string scoreboard, service;
  milliseconds interval{1000};
  Abilities abilities;
};

// The live screen.
class Screen {
 public:
  Screen(const Setup& setup, Observer& observer, Model model)
      : setup_(setup),
        observer_(observer),
        model_(std::move(model)),
        view_(first_view(model_, setup.service)) {}

  int run();  // the signal that has ended it; 0: the user has

 private:
  Target target() const { return {.size = Terminal::size(), .utf8 = setup_.abilities.utf8}; }
  std::size_t room() const { return room_for_rows(model_, view_, target()); }
  void look(Time now);
  bool show();
  void take_input(bool all);
  int take_signals();
  void carry_out(const Action& action);
  void take_answer();

  const Setup& setup_;
  Observer& observer_;
  Model model_;
  View view_;
  Terminal terminal_;
  Canvas shown_;
  std::string received_;  // from the keyboard
  std::optional<OwnCommand> command_;
  bool is_page_ = false;  // what the command prints is a page; else it is a message
  bool ends_ = false;
};

void Screen::look(Time now) {
  if (now < model_.at + setup_.interval && !model_.processes.empty()) return;
  observer_.look(model_);
  model_.at = now;  // also if it failed
  settle(view_, model_, room());
  observer_.look_at_processes(model_, view_, room());
}

// One write.
bool Screen::show() {
  settle(view_, model_, room());
  Canvas canvas = draw(model_, view_, target());
  const std::string changes = difference(shown_, canvas, setup_.abilities.colours);
  shown_ = std::move(canvas);
  return changes.empty() || terminal_.write(changes);
}

void Screen::take_input(bool all) {
  for (const int key : take_keys(received_, all)) carry_out(press(view_, model_, key, room()));
}

int Screen::take_signals() {
  for (const int signal : terminal_.arrived()) {
    if (signal == SIGTSTP) terminal_.stop();
    if (signal == SIGCONT) terminal_.go_on();
    if (signal == SIGTSTP || signal == SIGCONT)
      shown_ = Canvas();
    else if (signal != SIGWINCH)
      return signal;
  }
  return 0;
}

void Screen::carry_out(const Action& action) {
  if (action.kind == Kind::quit) ends_ = true;
  if (action.kind == Kind::none || ends_) return;
  if (command_) {
    view_.message = "the command before has not ended yet";
    return;
  }
  std::vector<std::string> words = {"--server=" + setup_.scoreboard};
  if (action.kind == Kind::reload) {
    words.insert(words.end(), {"reload", "--"});
    if (!action.service.empty()) words.push_back(action.service);
  } else {
    words.insert(words.end(), {action.kind == Kind::stack ? "stack" : "retire", text(action.pid)});
  }
  is_page_ = action.kind == Kind::stack;
  view_.message = text(words[1], action.pid > 0 ? text(' ', action.pid) : "", " ...");
  command_.emplace(std::move(words));
}

void Screen::take_answer() {
  if (!command_->read()) return;
  const auto lines = command_->lines();
  command_.reset();
  view_.message = lines.empty() ? "it has ended without an answer" : lines.back();
  if (is_page_ && lines.size() > 1) {
    view_.message.clear();
    view_.page = {.lines = lines};
  }
}

int Screen::run() {
  for (;;) {
    look(Clock::now());
    if (!show()) return SIGHUP;
    std::array<pollfd, 3> awaited = {
        {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
         {.fd = terminal_.signals(), .events = POLLIN, .revents = 0},
         {.fd = command_ ? command_->output() : -1, .events = POLLIN, .revents = 0}}};
    // The rest of a sequence follows at once, unless the key was Escape.
    constexpr milliseconds rest_of_sequence{50};
    const auto until_look = std::chrono::ceil<milliseconds>(model_.at + setup_.interval - Clock::now());
    const milliseconds wait = received_.empty() ? std::max(until_look, milliseconds(0)) : rest_of_sequence;
    if (::poll(awaited.data(), awaited.size(), static_cast<int>(wait.count())) == 0) take_input(true);
    if (awaited[1].revents != 0)
      if (const int signal = take_signals(); signal != 0) return signal;
    if (awaited[2].revents != 0) take_answer();
    if (awaited[0].revents != 0) {
      std::array<char, 256> buffer{};
      const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) return SIGHUP;
      if (size > 0) received_.append(buffer.data(), static_cast<std::size_t>(size));
      take_input(false);
    }
    if (ends_) return 0;
  }
}

std::optional<std::size_t> number_in_environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  const auto number = parse_number<std::size_t>(value == nullptr ? "" : value);
  constexpr std::size_t most = 10'000;
  return number && *number > 0 && *number <= most ? number : std::nullopt;
}

void print_one(const Setup& setup, Observer& observer, Model& model) {
  Target target{.size = Terminal::size(), .utf8 = setup.abilities.utf8, .keys = false};
  target.size.columns = number_in_environment("COLUMNS").value_or(target.size.columns);
  target.size.rows = number_in_environment("LINES").value_or(target.size.rows);
  const View view = first_view(model, setup.service);
  const std::size_t room = room_for_rows(model, view, target);
  observer.look_at_processes(model, view, room);
  std::this_thread::sleep_for(setup.interval);
  observer.look(model);
  observer.look_at_processes(model, view, room);
  std::fputs(lines(draw(model, view, target), setup.abilities.colours).c_str(), stdout);
}

milliseconds interval_of(const std::string& given) {
  if (given.empty()) return milliseconds(1000);
  try {
    return parse_duration(given, milliseconds(50), std::chrono::hours(1));
  } catch (const Error& error) {
    throw Failure("--interval=" + given + ' ' + error.what(), outcome::wrong_usage);
  }
}

Setup setup_of(const Invocation& invocation) {
  const auto& given = invocation.arguments;
  const std::string word = given.empty() ? "" : given[0];
  if (given.size() > 1 || (!given.empty() && word.empty()))
    throw Failure("top takes one SERVICE, or one NAME or PATH of a server", outcome::wrong_usage);
  const std::string color = invocation.option("--color");
  if (!is_color(color)) throw Failure("--color is auto, none, 16 or 256, not " + color, outcome::wrong_usage);
  const std::string directory = directory_of(invocation.runtime_directory);
  const bool is_server = invocation.server.empty() && names_server(word, directory);
  Setup setup{.scoreboard = locate(is_server ? word : invocation.server, directory),
              .service = is_server ? "" : word,
              .interval = interval_of(invocation.option("--interval")),
              .abilities = abilities_of(Environment::of_this_process(), color)};
  if (::isatty(STDOUT_FILENO) == 0) setup.abilities.screen = false;
  if (!setup.abilities.screen && (color.empty() || color == "auto")) setup.abilities.colours = 0;
  return setup;
}

}  // namespace

int top(const Invocation& invocation) {
  const Setup setup = setup_of(invocation);
  Observer observer(setup.scoreboard);
  Model model{.step = setup.interval};
  observer.look(model);
  if (!setup.service.empty()) only(model.snapshot, setup.service);
  if (invocation.has("--once") || !setup.abilities.screen || ::isatty(STDIN_FILENO) == 0) {
    print_one(setup, observer, model);
    return outcome::done;
  }
  const int signal = Screen(setup, observer, std::move(model)).run();
  if (signal != 0) die_of(signal);
  return outcome::done;
}

}  // namespace brood::ctl
