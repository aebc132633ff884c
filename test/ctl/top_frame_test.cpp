// SPDX-License-Identifier: MIT
// Frames of broodctl top against text, and what is sent to a terminal for them.
#include <doctest/doctest.h>

#include <random>

#include "ctl/top/frame.hpp"
#include "ctl/top/screen/differ.hpp"
#include "screen_model.hpp"
#include "top_model.hpp"

using namespace brood;
using namespace brood::ctl;
using namespace brood::test;
using namespace std::chrono_literals;

namespace {

bool contains_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string frame(const Model& model, const View& view, const Target& target) {
  return draw(model, view, target).text();
}

std::string line_of(const std::string& text, unsigned line) {
  std::size_t at = 0;
  for (; line > 0; --line) at = text.find('\n', at) + 1;
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("top: a frame of 80 x 24") {
  const Model model = model_of(server_of({web()}));
  const Target target{.utf8 = true};
  View view = first_view(model, "");
  settle(view, model, room_for_rows(model, view, target));
  CHECK(frame(model, view, target) ==
        R"(shop / web  OK  parent 999 running, up 2h; service running, generation 3
conns   12,120 accepted, 120/s; 2 open, 0 failed, 0 aborted
time    p50 <2.05ms  p99 <2.05ms  mean 1.5ms  in 0B/s  out 0B/s
pool    ████████▓▓▓▒▒▒▒▒▒▒▒▒▒▒▒··············· 2 busy, 2 idle of 10
waiting ███████████                            3 in the queues
conn/s                                       █ 120, most 120 in 1s
busy                                        ██ 2, most 2 in 2s
_ idle 2  W busy 2  S starting 1  G leaving 1  T stopped 0  . no child 4
_WWSG_....

    PID STATE*        TIME   CPU   MEM    CONNS  CONN/S NOTE       PEER
   1002 W busy       1m15s   50%   40M        7       7 GET /long  192.0.2.7:403
   1001 W busy       250ms  2.0%  684K        0       0 GET /short 192.0.2.7:403
   1004 G leaving       1s     -     -        0       0
   1003 S starting     10m     -     -        0       0
   1005 _ idle         40s     -     -        0       0
   1000 _ idle          3s     -     -        0       0






 h help  < > sort  i invert  / note  t time  s stack  x retire  R reload  q quit
)");
}

TEST_CASE("top: of a program that does not report its connections there are no figures of them") {
  ServiceSnapshot silent = web();
  silent.name = "silent";
  silent.counts_connections = false;
  const Model alone = model_of(server_of({silent}));
  const std::string one = frame(alone, first_view(alone, ""), {});
  CHECK(line_of(one, 1) == "conns   its program does not report them");
  CHECK_MESSAGE(contains_text(line_of(one, 3), " 6 of 10"), one);
  CHECK_FALSE(contains_text(one, "accepted"));
  CHECK_FALSE(contains_text(one, "conn/s"));
  const Model both = model_of(server_of({web(), silent}));
  const std::string two = frame(both, first_view(both, ""), {});
  CHECK(contains_text(line_of(two, 1), "accepted"));
  const std::string row = two.substr(two.find("\nsilent") + 1);
  CHECK_MESSAGE(row.starts_with("silent  running       6/10      -      -       0       -"), two);
}

TEST_CASE("top: a frame of 200 x 50 has more room for everything") {
  Model model = model_of(server_of({web()}));
  const Target target{.size = {.columns = 200, .rows = 50}};
  View view = first_view(model, "");
  const std::string text = frame(model, view, target);
  CHECK(room_for_rows(model, view, target) == 38);
  CHECK(line_of(text, 3) == "pool    " + std::string(32, '#') + std::string(15, '%') + std::string(16, '+') +
                                std::string(32, '=') + std::string(63, '.') + " 2 busy, 2 idle of 10");
  CHECK(line_of(text, 4).size() == 8 + 158 + std::string(" 3 in the queues").size());
  CHECK(line_of(text, 49).starts_with(" h help"));
}

TEST_CASE("top: a small terminal gets less, a tiny one is no error") {
  const Model model = model_of(server_of({web()}));
  const View view = first_view(model, "");
  const std::string small = frame(model, view, {.size = {.columns = 40, .rows = 10}});
  CHECK(line_of(small, 4).starts_with("    PID STATE*"));
  CHECK(line_of(small, 5).starts_with("   1002 W busy"));
  for (std::size_t columns = 0; columns < 12; ++columns)
    for (std::size_t rows = 0; rows < 30; ++rows)
      CHECK(draw(model, view, {.size = {.columns = columns, .rows = rows}}).size().rows == rows);
}

TEST_CASE("top: of a thousand children, the letters that have room, and how many have none") {
  ServiceSnapshot many = web();
  many.max_clients = 1000;
  many.slots.assign(1024, child(1, SlotState::idle, 1s));
  const Model model = model_of(server_of({many}));
  const View view = first_view(model, "");
  const std::string text = frame(model, view, {});
  CHECK(contains_text(text, "_ idle 1024"));
  CHECK(line_of(text, 9) == std::string(80, '_'));
  CHECK(line_of(text, 10) == std::string(70, '_') + " +794 more");
}

TEST_CASE("top: many services: a line each, and the busiest children of all") {
  ServiceSnapshot mail = web();
  mail.name = "mail";
  mail.state = ServiceState::paused;
  mail.slots[2].note = "mail's";
  const Model model = model_of(server_of({web(), mail}));
  View view = first_view(model, "");
  CHECK(view.services);
  settle(view, model, 10);
  CHECK(view.selected_service == "web");
  const std::string text = frame(model, view, {});
  CHECK(contains_text(text, "shop  OK  parent 999 running, up 2h, 2 services\n"));
  CHECK(contains_text(text, "conns   24,240 accepted, 240/s"));
  CHECK(contains_text(text, "_WWSG_.... _WWSG_....\n"));
  CHECK(contains_text(text, "web     running       6/10      2      2       3     120   2.05ms"));
  CHECK(contains_text(text, "mail    paused        6/10      2      2       0     120   2.05ms"));
  CHECK(contains_text(text, "   1002 mail       W busy       1m15s"));
}

TEST_CASE("top: the row of messages: an answer, what is wrong, the filters") {
  Model model = model_of(server_of({web()}));
  View view = first_view(model, "");
  model.problems = {"web: something is wrong"};
  CHECK(line_of(frame(model, view, {}), 9) == "web: something is wrong");
  view.filters.note = "GET";
  view.filters.at_least = 5s;
  CHECK(line_of(frame(model, view, {}), 9) == "only with GET, for at least 5s");
  model.trouble = "the scoreboard is gone";
  CHECK(line_of(frame(model, view, {}), 9) == "the scoreboard is gone");
  view.message = "child 1 has left";
  CHECK(line_of(frame(model, view, {}), 9) == "child 1 has left");
}

TEST_CASE("top: bytes that a child has written do nothing on a terminal") {
  ServiceSnapshot service = web();
  service.slots[2].note = "\x1b[31m\xc3\xa4\x9b";
  service.name = "w\x1b]0;b";
  const Model model = model_of(server_of({service}));
  const Canvas canvas = draw(model, first_view(model, ""), {});
  CHECK(canvas.text().find('\x1b') == std::string::npos);
  CHECK(contains_text(canvas.text(), "\\x1b[31m\\xc3\\xa4\\x9b"));
}

TEST_CASE("top: what changed makes the one screen the other, whatever they are") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  const std::u32string letters = U" ab_W█▁";
  Size size;
  Canvas shown;
  for (const unsigned colours : {0U, 16U, 256U}) {
    ScreenModel screen;
    shown = Canvas();
    for (int i = 0; i < 300; ++i) {
      if (i % 50 == 0) {
        size = {.columns = 1 + pick(90), .rows = 1 + pick(30)};
        screen.resize(size);
      }
      Canvas wanted = shown.size() == size ? shown : Canvas(size);
      for (unsigned cell = pick(40); cell > 0; --cell)
        wanted.put(pick(static_cast<unsigned>(size.columns)), pick(static_cast<unsigned>(size.rows)),
                   letters[pick(static_cast<unsigned>(letters.size()))], static_cast<Style>(pick(styles)));
      const std::string changes = difference(shown, wanted, colours);
      screen.take(changes);
      REQUIRE(screen.same_as(wanted, colours));
      CHECK(difference(wanted, wanted, colours).empty());
      if (colours == 0) CHECK(changes.find("[0;3") == std::string::npos);
      shown = wanted;
    }
  }
}

TEST_CASE("top: a figure that changes is a few bytes") {
  Canvas before(Size{}), now(Size{});
  before.put(0, 5, "1002 W busy  1m15s 42");
  now.put(0, 5, "1002 W busy  1m16s 43");
  CHECK(difference(before, now, 256) == "\x1b[6;17H6s 43");
}
