// SPDX-License-Identifier: MIT
// Values of each type that a server's own setting can have, alone and in lists.
#include "brood/setting_type.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>

#include "brood/settings.hpp"
#include "settings/settings_printer.hpp"
#include "settings/settings_reader.hpp"
#include "settings/size.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

enum class Speed { slow, fast };

// Values of each type, alone and in lists.
struct Typed {
  int shift = -3;
  long long far = 0;
  double ratio = 0.5;
  Speed speed = Speed::slow;
  std::string root;
  std::vector<unsigned> ports = {80};
  std::vector<int> shifts;
  std::vector<double> ratios;
  std::vector<std::chrono::milliseconds> steps = {1s, 90s};
  std::vector<std::uint64_t> sizes;
  std::vector<Speed> speeds = {Speed::fast};
  std::vector<std::string> words, roots;
  Settings settings;

  Typed() {
    const EnumWords<Speed> words_of_speed = {{"slow", Speed::slow}, {"fast", Speed::fast}};
    settings.integer("shift", shift, -5, 5, "");
    settings.integer("far", far, INT64_MIN, INT64_MAX, "");
    settings.real("ratio", ratio, -1, 1e6, "");
    settings.choice("speed", speed, {{"slow", Speed::slow}, {"fast", Speed::fast}}, "");
    settings.path("root", root, "");
    settings.list("port", ports, 1, 65535, "");
    settings.list("shifts", shifts, -5, 5, "");
    settings.list("ratios", ratios, 0, 1, "");
    settings.list("step", steps, 1ms, 1h, "");
    settings.list("sizes", sizes, 0, 1 << 20, "");
    settings.list("speeds", speeds, words_of_speed, "");
    settings.list("word", words, {"a", "b"}, "");
    settings.list("roots", roots, path_type(), "");
  }

  std::string read(std::string_view file) {
    SettingsReader reader(settings);
    reader.read_text(file, "f.conf");
    reader.check();
    if (reader.errors().empty()) reader.stores(false)();
    return reader.errors();
  }
};

}  // namespace

TEST_CASE("a size that is written is read as the same") {
  const struct {
    std::uint64_t bytes;
    const char* written;
  } rows[] = {{0, "0"},
              {1, "1"},
              {1023, "1023"},
              {1024, "1K"},
              {1536, "1536"},
              {10 << 20, "10M"},
              {3ULL << 30, "3G"},
              {2ULL << 40, "2T"},
              {5000ULL << 40, "5000T"},
              {UINT64_MAX, "18446744073709551615"}};
  for (const auto& row : rows) {
    CHECK(brood::write_size(row.bytes) == row.written);
    CHECK(brood::parse_size(row.written, 0, UINT64_MAX) == row.bytes);
  }
}

TEST_CASE("a server's own setting may be a size, with bounds") {
  const struct {
    const char* value;
    const char* wrong;
    std::uint64_t bytes;
  } rows[] = {
      {"64K", "", 64 * 1024},
      {"65537", "", 65537},
      {"1G", "", 1 << 30},
      {"63K", "f.conf:1: buffer = 63K is below 64K", 0},
      {"1025M", "f.conf:1: buffer = 1025M is above 1G", 0},
      {"99999999999999999999T", "f.conf:1: buffer = 99999999999999999999T is above 1G", 0},
      {"64k", "f.conf:1: buffer = 64k has the unknown unit 'k'; known are K, M, G, T", 0},
      {"-1", "f.conf:1: buffer = -1 is not a size like 4096, 64K, 10M or 1G", 0},
      {"", "f.conf:1: buffer =  is not a size like 4096, 64K, 10M or 1G", 0},
      {"1.5M", "f.conf:1: buffer = 1.5M has the unknown unit '.5M'; known are K, M, G, T", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    std::uint64_t buffer = 1 << 20;
    Settings settings;
    settings.size("buffer", buffer, 64 << 10, 1 << 30, "");
    CHECK(settings.find("buffer")->defaults == std::vector<std::string>{"1M"});
    SettingsReader reader(settings);
    reader.read_text(std::string("buffer = ") + row.value, "f.conf");
    reader.check();
    CHECK(reader.errors() == row.wrong);
    if (!reader.errors().empty()) continue;
    reader.stores(false)();
    CHECK(buffer == row.bytes);
  }
}

TEST_CASE("a value of each type, and a list of each, is read") {
  Typed typed;
  REQUIRE(typed.read("shift = -5\nfar = -9223372036854775808\nratio = 2.5e-1\nspeed = fast\n"
                     "port = 8000\nport = 8001\nshifts = -1\nshifts = 2\nratios = 0.125\nratios = 1\n"
                     "step = 250ms\nsizes = 64K\nsizes = 1\nspeeds = slow\nspeeds = fast\n"
                     "word = b\nword = a\nroots = /a\nroots = b\nroots =\n") == "");
  CHECK(typed.shift == -5);
  CHECK(typed.far == INT64_MIN);
  CHECK(typed.ratio == 0.25);
  CHECK(typed.speed == Speed::fast);
  CHECK(typed.ports == std::vector<unsigned>{8000, 8001});
  CHECK(typed.shifts == std::vector<int>{-1, 2});
  CHECK(typed.ratios == std::vector<double>{0.125, 1});
  CHECK(typed.steps == std::vector<std::chrono::milliseconds>{250ms});
  CHECK(typed.sizes == std::vector<std::uint64_t>{64 << 10, 1});
  CHECK(typed.speeds == std::vector<Speed>{Speed::slow, Speed::fast});
  CHECK(typed.words == std::vector<std::string>{"b", "a"});
  CHECK(typed.roots == std::vector<std::string>{"/a", std::filesystem::current_path().string() + "/b", ""});
  REQUIRE(typed.read("") == "");
  CHECK(typed.shift == -3);
  CHECK(typed.steps == std::vector<std::chrono::milliseconds>{1s, 90s});
  CHECK(typed.speeds == std::vector<Speed>{Speed::fast});
}

TEST_CASE("a mistake in a value of each type names what is allowed") {
  const struct {
    const char* file;
    const char* wrong;
  } rows[] = {
      {"shift = 6", "f.conf:1: shift = 6 is above 5"},
      {"shift = -6", "f.conf:1: shift = -6 is below -5"},
      {"shift = -99999999999999999999", "f.conf:1: shift = -99999999999999999999 is below -5"},
      {"shift = 1.5", "f.conf:1: shift = 1.5 is not a whole number"},
      {"shift = --1", "f.conf:1: shift = --1 is not a whole number"},
      {"shift = -", "f.conf:1: shift = - is not a whole number"},
      {"shift =", "f.conf:1: shift =  is not a whole number"},
      {"far = 9223372036854775808", "f.conf:1: far = 9223372036854775808 is above 9223372036854775807"},
      {"ratio = 1.5e6", "f.conf:1: ratio = 1.5e6 is above 1e+06"},
      {"ratio = -1.01", "f.conf:1: ratio = -1.01 is below -1"},
      {"ratio = 0,5", "f.conf:1: ratio = 0,5 is not a number like 3, 0.75 or 1e6"},
      {"ratio = nan", "f.conf:1: ratio = nan is not a number like 3, 0.75 or 1e6"},
      {"ratio = inf", "f.conf:1: ratio = inf is not a number like 3, 0.75 or 1e6"},
      {"ratio =", "f.conf:1: ratio =  is not a number like 3, 0.75 or 1e6"},
      {"ratio = 1e999",
       "f.conf:1: ratio = 1e999 is too large, or too close to 0, for a number with a fraction"},
      {"speed = Fast", "f.conf:1: speed = Fast is not one of slow or fast"},
      {"speed = 1", "f.conf:1: speed = 1 is not one of slow or fast"},
      // Each wrong value of a list, at its own line.
      {"port = 0\nport = 1\n\nport = x",
       "f.conf:1: port = 0 is below 1\nf.conf:4: port = x is not a whole number without a sign"},
      {"step = 1s\nstep = 2h\nstep = 3s", "f.conf:2: step = 2h is above 1h"},
      {"speeds = fast\nspeeds = high", "f.conf:2: speeds = high is not one of slow or fast"},
      {"word = c\nword = a", "f.conf:1: word = c is not one of a or b"},
      {"ratios = 2\nratios = 1", "f.conf:1: ratios = 2 is above 1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.file);
    Typed typed;
    CHECK(typed.read(row.file) == row.wrong);
    CHECK(typed.shift == -3);
    CHECK(typed.ports == std::vector<unsigned>{80});
  }
}

TEST_CASE("values of each type are printed as they are read, each with its place") {
  Typed first;
  const std::string printed = print_settings(first.settings, {}, "test");
  for (const char* line :
       {"\nshift = -3\n", "\nratio = 0.5\n", "\nspeed = slow\n", "\nport = 80\n", "\nstep = 1s\nstep = 90s\n",
        "\nspeeds = fast\n", "number from -5 to 5", "number with a fraction from -1 to 1e+06",
        "(slow or fast)", "(path)", "(path, any number of times)", "duration, any number of times"})
    CHECK_MESSAGE(printed.find(line) != std::string::npos, line);
  Typed second;
  REQUIRE(second.read(printed) == "");
  CHECK(second.steps == first.steps);
  SettingsReader reader(first.settings);
  reader.read_text("port = 1\nport = 2\n", "f.conf");
  CHECK(print_settings(first.settings, reader.given(), "test")
            .find("\nport = 1  # f.conf:1\nport = 2  # f.conf:2\n") != std::string::npos);
}

TEST_CASE("a type of one's own, alone and in a list") {
  const SettingType<char> letter = {.kind = "letter",
                                    .read =
                                        [](const std::string& word) {
                                          if (word.size() != 1) throw std::runtime_error("is no letter");
                                          return word.front();
                                        },
                                    .write = [](char value) { return std::string(1, value); }};
  char one = 'a';
  std::vector<char> some = {'b', 'c'};
  Settings settings;
  settings.value("one", one, letter, "");
  settings.list("some", some, letter, "");
  CHECK(settings.find("some")->defaults == std::vector<std::string>{"b", "c"});
  SettingsReader reader(settings);
  reader.read_text("one = x\nsome = y\nsome = zz\n", "f.conf");
  reader.check();
  CHECK(reader.errors() == "f.conf:3: some = zz is no letter");
}

TEST_CASE("a word of an enum that is not named can't be a default") {
  auto speed = static_cast<Speed>(7);
  Settings settings;
  CHECK_THROWS_WITH(settings.choice("speed", speed, {{"slow", Speed::slow}}, ""),
                    "setting speed: the default is not one of slow");
}
