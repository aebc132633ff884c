// SPDX-License-Identifier: MIT
// A pool of ten at max-clients is replaced: by a reload, an upgrade, a cap. Whatever the starts do, nine of
// the ten are ready at every moment, and no connection fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "base/control_protocol.hpp"
#include "broodctl.hpp"
#include "load.hpp"
#include "upgradeable.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// Whoever is ready to serve in less time would be no slow start. Some children are enough: the others could
// only wait in the same way.
const char* const slow_start = "slow 3000";
constexpr int some = 2;

// Ten children, and more clients than that.
struct FullPool {
  explicit FullPool(std::vector<std::string> more = {})
      : it(with(std::move(more))),
        load(it.server.address(), 12, "hold 20", "held"),
        watch((ready(), it.server.scoreboard()), [this](const ServiceSnapshot& service) {
          fewest = std::min(fewest, service.idle + service.busy);
        }) {}

  std::vector<std::string> with(std::vector<std::string> more) const {
    for (const char* setting : {"--start-servers=10", "--max-spare-servers=10", "--max-clients=10"})
      more.emplace_back(setting);
    more.push_back("--child-start=" + (place / "order"));
    return more;
  }
  void tell(const std::string& order) const { write_file(place / "order", order); }
  void ready() {
    REQUIRE(it.server.reaches([](const auto& service) { return service.idle + service.busy == 10; }));
    REQUIRE(load.more_answers(50));
  }
  bool replaced_by(std::uint32_t generation) const {
    return it.server.reaches([&](const auto& service) {
      return service.starting == 0 && service.leaving == 0 &&
             std::ranges::all_of(service.slots, [&](const SlotSnapshot& slot) {
               return slot.state == SlotState::empty || slot.generation == generation;
             });
    });
  }
  // By children that start slowly.
  bool some_replaced_by(std::uint32_t generation) const {
    return it.server.reaches([&](const auto& service) {
      return std::ranges::count_if(service.slots, [&](const SlotSnapshot& slot) {
               return slot.generation == generation &&
                      (slot.state == SlotState::idle || slot.state == SlotState::busy);
             }) >= some;
    });
  }
  unsigned of_generation(std::uint32_t generation) const {
    const ServiceSnapshot service = it.server.service();
    return static_cast<unsigned>(std::ranges::count_if(service.slots, [&](const SlotSnapshot& slot) {
      return slot.state != SlotState::empty && slot.generation == generation;
    }));
  }
  void check_end() {
    CHECK(load.more_answers(50));
    CHECK(load.stop().failed() == 0);
    watch.stop();
    CHECK(watch.looks() > 0);
    CHECK(fewest >= 9);
  }

  TemporaryDirectory place;
  Upgradeable it;
  Load load;
  unsigned fewest = 10;
  Watch watch;
};

}  // namespace

TEST_CASE("a full pool is replaced by a reload whose children start slowly") {
  FullPool pool;
  pool.tell(slow_start);
  pool.it.server.signal(SIGHUP);
  CHECK(pool.some_replaced_by(2));
  pool.tell("");
  CHECK(pool.replaced_by(2));
  pool.check_end();
}

TEST_CASE("a full pool is replaced by an upgrade whose children start slowly") {
  FullPool pool;
  pool.tell(slow_start);
  CHECK(pool.it.upgrade());
  CHECK(pool.some_replaced_by(2));
  pool.tell("");
  CHECK(pool.replaced_by(2));
  pool.check_end();
}

TEST_CASE("a full pool is replaced at its cap by children that start slowly") {
  FullPool pool({"--max-requests-per-child=40"});
  pool.tell(slow_start);
  CHECK(pool.it.server.reaches([](const auto& service) { return service.children_gone >= some; }));
  pool.tell("");
  CHECK(pool.it.server.reaches([](const auto& service) { return service.children_gone >= 10; }));
  pool.check_end();
}

TEST_CASE("a full pool that is reloaded while starts fail serves on, and the answer says so") {
  const char* order = "";
  SUBCASE("at once") { order = "throw the schema is wrong"; }
  SUBCASE("late") { order = "late 300"; }
  FullPool pool;
  pool.tell(order);
  const CtlAnswer answer = ask(pool.it.server, "reload");
  CHECK(answer.code == outcome::failed);
  CHECK(answer.says("children of generation 2 fail at once"));
  CHECK(pool.of_generation(1) >= 9);
  CHECK(pool.load.more_answers(100));
  CHECK(pool.of_generation(1) >= 9);
  pool.tell("");
  CHECK(pool.replaced_by(2));
  pool.check_end();
}

TEST_CASE("a full pool that is upgraded while starts fail serves on") {
  FullPool pool;
  pool.tell("late 300");
  CHECK(pool.it.upgrade());
  CHECK(pool.it.server.wait_for_log("children fail at once"));
  CHECK(pool.load.more_answers(100));
  CHECK(pool.of_generation(1) >= 9);
  pool.tell("");
  CHECK(pool.replaced_by(2));
  pool.check_end();
}

TEST_CASE("a full pool at its cap serves on while starts fail") {
  FullPool pool({"--max-requests-per-child=40"});
  pool.tell("late 300");
  CHECK(pool.it.server.wait_for_log("children fail at once"));
  CHECK(pool.load.more_answers(100));
  pool.tell("");
  CHECK(pool.it.server.reaches([](const auto& service) { return service.children_gone >= 10; }));
  pool.check_end();
}

TEST_CASE("a pool whose children are all needed is not emptied by a reload that fails") {
  const char* order = "";
  SUBCASE("at once") { order = "exit 3"; }
  SUBCASE("late") { order = "late 200"; }
  SUBCASE("after they were ready") { order = "doomed 400"; }
  const TemporaryDirectory place;
  ServerProcess server({"--start-servers=4", "--min-spare-servers=4", "--max-spare-servers=4",
                        "--max-clients=4", "--child-start=" + (place / "order")});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 4; }));
  write_file(place / "order", order);
  const CtlAnswer answer = ask(server, "reload");
  CHECK(answer.code == outcome::failed);
  CHECK(answer.says("children of generation 2 fail at once"));
  CHECK(server.service().idle >= 3);
  CHECK(server.connect().ask("echo hello") == "hello");
  write_file(place / "order", "");
  CHECK(server.reaches(settled_at(2)));
}

TEST_CASE("children that are too old are replaced, a tenth at a time, and a younger one stays") {
  ServerProcess server({"--start-servers=4", "--max-spare-servers=4", "--min-spare-servers=4",
                        "--max-lifetime-per-child=700ms"});
  unsigned fewest = 4;
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 4; }));
  Watch watch(server.scoreboard(), [&](const ServiceSnapshot& service) {
    fewest = std::min(fewest, service.idle + service.busy);
  });
  Load load(server.address(), 2);
  CHECK(server.reaches([](const auto& service) { return service.children_gone >= 8; }));
  CHECK(load.stop().failed() == 0);
  watch.stop();
  CHECK(fewest >= 4);
  const ServiceSnapshot service = server.service();
  CHECK(service.children_failed == 0);
  CHECK(service.generation == 1);
}
