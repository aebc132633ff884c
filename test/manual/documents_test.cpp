// SPDX-License-Identifier: MIT
// README.md, CONTRIBUTING.md and the programs in the manual: the files that they name exist, and the programs
// compile.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "generated.hpp"

using namespace brood::test;

namespace {

namespace fs = std::filesystem;

const std::string root = BROOD_SOURCE;

// The text of a literal block, without the escapes of mdoc.
std::string source_of(const std::string& block) {
  std::string source = std::regex_replace(block, std::regex(R"(\\\(dq)"), "\"");
  source = std::regex_replace(source, std::regex(R"(\\&)"), "");
  return std::regex_replace(source, std::regex(R"(\\e)"), "\\");
}

bool compiles(const std::string& source) {
  const std::string path =
      (fs::temp_directory_path() / ("brood-manual-" + std::to_string(::getpid()) + ".cpp")).string();
  std::ofstream(path) << source;
  const std::string command =
      std::string(BROOD_CXX) + " -std=c++20 -fsyntax-only -I " + root + "/include " + path;
  const bool compiled = std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe)
  fs::remove(path);
  return compiled;
}

}  // namespace

TEST_CASE("the files that README.md and CONTRIBUTING.md name exist") {
  // In backquotes or as the target of a link. What has capital letters or a '*' stands for several files, and
  // mine.cpp is the reader's.
  const std::regex path("(?:`|\\]\\()((?:src|include|test|man|etc|example|cmake)/[^`)* A-Z]*)[`)]");
  for (const std::string document : {"README.md", "CONTRIBUTING.md"}) {
    const std::string content = read_file(root + "/" + document);
    unsigned named = 0;
    for (std::sregex_iterator match(content.begin(), content.end(), path); match != std::sregex_iterator();
         ++match, ++named) {
      const std::string file = (*match)[1].str();
      if (file == "example/mine.cpp") continue;
      CHECK_MESSAGE(fs::exists(root + "/" + file), document << " names " << file);
    }
    CHECK(named > 10);
  }
}

TEST_CASE("README.md has all of example/echo.cpp") {
  CHECK(read_file(root + "/README.md").find("```cpp\n" + read_file(root + "/example/echo.cpp") + "```") !=
        std::string::npos);
}

TEST_CASE("brood_patterns(7) has each program of example/patterns, and no other") {
  const std::string page = read_file(root + "/man/brood_patterns.7");
  unsigned programs = 0;
  for (const auto& entry : fs::directory_iterator(root + "/example/patterns")) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(".cpp")) continue;
    ++programs;
    CHECK_MESSAGE(page.find("\n.It File\n.Pa " + file) != std::string::npos,
                  "brood_patterns.7 lacks " << file);
  }
  const std::regex item("\\n\\.It File\\n");
  CHECK(std::distance(std::sregex_iterator(page.begin(), page.end(), item), std::sregex_iterator()) ==
        programs);
}

TEST_CASE("the programs in the manual compile" * doctest::test_suite("slow")) {
  constexpr std::string_view begin = "\n.Bd -literal";
  unsigned programs = 0;
  for (const auto& entry : fs::directory_iterator(root + "/man")) {
    if (!entry.is_regular_file()) continue;
    const std::string page = read_file(entry.path());
    for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
      const auto first_line = page.find('\n', at + 1) + 1;
      const std::string source = source_of(page.substr(first_line, page.find("\n.Ed", at) + 1 - first_line));
      if (source.find("int main(") == std::string::npos) continue;
      ++programs;
      CHECK_MESSAGE(compiles(source), entry.path().filename() << ": " << source);
    }
  }
  CHECK(programs >= 3);
}

TEST_CASE("each test that brood_design(7) names exists") {
  std::string tests;
  for (const auto& entry : fs::recursive_directory_iterator(root + "/test"))
    if (entry.path().extension() == ".cpp") tests += read_file(entry.path());
  tests = std::regex_replace(tests, std::regex("\"\\n *\""), "");  // a name on two lines
  const std::string page = read_file(root + "/man/brood_design.7");
  const auto begin = page.find("\n.Sh FAULTS\n");
  REQUIRE(begin != std::string::npos);
  const std::string faults = page.substr(begin, page.find("\n.Sh", begin + 1) - begin);
  const std::regex item("\\n\\.It\\n((?:[^.\\n][^\\n]*\\n)+)");
  unsigned named = 0;
  for (std::sregex_iterator match(faults.begin(), faults.end(), item); match != std::sregex_iterator();
       ++match, ++named) {
    std::string name = std::regex_replace((*match)[1].str(), std::regex("\n"), " ");
    name.pop_back();
    CHECK_MESSAGE(tests.find('"' + name + '"') != std::string::npos, "no test is called: " << name);
  }
  CHECK(named > 20);
}
