// SPDX-License-Identifier: MIT
// The manual against the program: generated parts are up to date, brood_admin(8) has each warning and error
// of the log and no other, and brood_server(3) has each hook and each member.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <set>
#include <vector>

#include "command_output.hpp"
#include "generated.hpp"

using namespace brood::test;

namespace {

const std::string root = BROOD_SOURCE;
constexpr const char* how_to_update = "run: cmake --build BUILD_DIRECTORY --target manual";

std::vector<std::smatch> all_of(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

std::vector<std::string> pages() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/man"))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// All sources as one text. String literals that continue on the next line are joined.
std::string sources() {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/src"))
    if (entry.path().extension() == ".cpp") all += read_file(entry.path());
  return std::regex_replace(all, std::regex("\"\\s*\\n\\s*\""), "");
}

// The arguments of a call that begins at `from`, behind its parenthesis.
std::string arguments_at(const std::string& source, std::size_t from) {
  int depth = 1;
  bool in_literal = false;
  std::size_t at = from;
  for (; at < source.size() && depth > 0; ++at) {
    if (source[at] == '"' && source[at - 1] != '\\') in_literal = !in_literal;
    if (!in_literal) depth += source[at] == '(' ? 1 : source[at] == ')' ? -1 : 0;
  }
  return source.substr(from, at - from);
}

std::vector<std::string> literals_in(const std::string& code) {
  std::vector<std::string> literals;
  for (const auto& match : all_of(code, std::regex("\"([^\"\\\\]|\\\\.)*\"")))
    literals.push_back(match.str().substr(1, match.str().size() - 2));
  return literals;
}

// The headings in DIAGNOSTICS, without the quotes of mdoc.
std::string headings_of_messages(const std::string& page) {
  std::string all;
  for (const auto& match : all_of(page, std::regex("\\n\\.It Sy \"([^\\n]*)\"(?=\\n)")))
    all += match[1].str() + '\n';
  return all;
}

}  // namespace

TEST_CASE("'man brood' opens brood(7), an overview of 250 lines at most") {
  const std::string overview = root + "/man/brood.7";
  const std::string content = read_file(overview);
  CHECK(std::count(content.begin(), content.end(), '\n') <= 250);
  // man looks for a page's file and for the names in its NAME section, and finds section 8 before section 7.
  for (const auto& page : pages()) {
    if (page == overview) continue;
    CHECK_MESSAGE(!std::regex_match(page, std::regex(".*/brood\\.[^./]*")), page << " is named brood, too");
    CHECK_MESSAGE(!std::regex_search(read_file(page), std::regex("\n\\.Nm brood *(,[^\n]*)?\n")),
                  page << " has the name brood, too");
  }
}

TEST_CASE("etc/ is what the examples print") {
  for (const std::string program : {"echo", "greeter", "httpd", "proxy"}) {
    CAPTURE(how_to_update);
    CHECK(read_file(root + "/etc/" + program + ".conf") ==
          output_of(std::string(BROOD_PROGRAMS) + "/" + program + " --print-config"));
  }
}

TEST_CASE("printed settings are the same for every user, and can be read again") {
  const std::string echo = std::string(BROOD_PROGRAMS) + "/echo";
  CHECK(output_of("XDG_RUNTIME_DIR=/run/user/1 HOME=/ " + echo + " --print-config") ==
        output_of(echo + " --print-config"));
  CHECK(output_of(echo + " --config=" + root + "/etc/echo.conf --test-config") ==
        "settings: no mistakes found\n");
}

TEST_CASE("etc/pair.conf has no mistakes") {
  CHECK(output_of(std::string(BROOD_PROGRAMS) + "/pair --config=" + root + "/etc/pair.conf --test-config") ==
        "settings: no mistakes found\n");
}

TEST_CASE("brood.conf(5) has the settings of the table") {
  CAPTURE(how_to_update);
  const std::string page = read_file(root + "/man/brood.conf.5");
  CHECK(page == with_generated(page, settings_as_mdoc()));
}

TEST_CASE("brood.conf(5) has each setting of the program brood, and brood_services(8) each option") {
  const std::string brood = std::string(BROOD_PROGRAMS) + "/brood --config-directory " + root + "/etc/brood ";
  const std::string settings = read_file(root + "/man/brood.conf.5");
  const auto printed = output_of(brood + "--print-config");
  for (const auto& setting : all_of(printed, std::regex("\\n(?:# )?([a-z-]+) =")))
    CHECK_MESSAGE(settings.find(".It Cm " + setting[1].str() + "\n") != std::string::npos,
                  "brood.conf.5 lacks " << setting[1].str());
  const std::string page = read_file(root + "/man/brood_services.8");
  const auto help = output_of(brood + "--help");
  const std::string options = help.substr(0, help.find("Settings, on the command line"));
  unsigned told = 0;
  for (const auto& option : all_of(options, std::regex("\\n  (?:-\\w, )?--([a-z-]+)"))) {
    ++told;
    CHECK_MESSAGE(page.find("Fl -" + option[1].str()) != std::string::npos,
                  "brood_services.8 lacks --" << option[1].str());
  }
  CHECK(told == 7);
}

TEST_CASE("brood-load(1) has each option of the program") {
  const std::string page = read_file(root + "/man/brood-load.1");
  const auto help = output_of(std::string(BROOD_PROGRAMS) + "/brood-load --help");
  unsigned told = 0;
  for (const auto& option : all_of(help, std::regex("\\n  --([a-z-]+)"))) {
    ++told;
    CHECK_MESSAGE(page.find(".It Fl -" + option[1].str()) != std::string::npos,
                  "brood-load.1 lacks --" << option[1].str());
  }
  CHECK(told == 19);
}

TEST_CASE("brood_server(3) has example/echo.cpp") {
  CAPTURE(how_to_update);
  const std::string page = read_file(root + "/man/brood_server.3");
  CHECK(page == with_generated(page, source_as_mdoc(read_file(root + "/example/echo.cpp"))));
}

TEST_CASE("brood_admin(8) has each warning and each error of the log") {
  const std::string told = headings_of_messages(read_file(root + "/man/brood_admin.8"));
  const std::string source = sources();
  unsigned calls = 0;
  for (const auto& call : all_of(source, std::regex("log_(warning|error)\\("))) {
    ++calls;
    const auto from = static_cast<std::size_t>(call.position() + call.length());
    for (const auto& literal : literals_in(arguments_at(source, from))) {
      // A short literal may be a name. A longer one is the message.
      if (std::count(literal.begin(), literal.end(), ' ') < 3) continue;
      CHECK_MESSAGE(told.find(literal) != std::string::npos, "brood_admin.8 lacks the message: " << literal);
    }
  }
  CHECK(calls > 20);
}

TEST_CASE("each message in brood_admin(8) exists") {
  const std::string source = sources();
  // Placeholders, and parts that are joined from several texts.
  const std::regex variable(
      "\\b(while serving PEER 'NOTE' for "
      "TIME|connection-timeout|NAME|PID|PEER|NOTE|ADDRESS|N|TIME|WHY|SETTING|PATH|WHAT|FILE|LINE|VALUE)\\b");
  const std::string told = headings_of_messages(read_file(root + "/man/brood_admin.8"));
  unsigned fragments = 0;
  for (const auto& line : all_of(told, std::regex("[^\\n]+"))) {
    const std::string message = line.str();
    for (std::sregex_token_iterator part(message.begin(), message.end(), variable, -1);
         part != std::sregex_token_iterator(); ++part) {
      const std::string fragment = std::regex_replace(part->str(), std::regex("^[ :;,)(]+|[ :;,)(]+$"), "");
      if (std::count(fragment.begin(), fragment.end(), ' ') < 3) continue;
      // Messages of the C library are not in our sources.
      if (fragment.find("already in use") != std::string::npos) continue;
      ++fragments;
      CHECK_MESSAGE(source.find(fragment) != std::string::npos,
                    "no source has: " << message << " (" << fragment << ")");
    }
  }
  CHECK(fragments > 20);
}

TEST_CASE("brood_server(3) has each hook, and each member of Connection, Child and Settings") {
  const std::string page = read_file(root + "/man/brood_server.3");
  const auto told = [&](const std::string& name) {
    CHECK_MESSAGE(std::regex_search(page, std::regex("\\b" + name + "\\b")), "brood_server.3 lacks " << name);
  };
  const std::string hooks =
      read_file(root + "/include/brood/server_base.hpp") + read_file(root + "/include/brood/server.hpp") +
      read_file(root + "/include/brood/event_server.hpp") +
      read_file(root + "/include/brood/async_server.hpp") + read_file(root + "/include/brood/child.hpp");
  for (const auto& hook : all_of(hooks, std::regex("virtual [^\\n]* (\\w+)\\("))) told(hook[1].str());
  for (const auto& [file, type] :
       {std::pair{"connection", "Connection"}, std::pair{"async_server", "AsyncConnection"}}) {
    const std::string header = read_file(root + "/include/brood/" + file + ".hpp");
    const auto begin = header.find(std::string("class ") + type + " {");
    const std::string members = header.substr(begin, header.find(" private:", begin) - begin);
    for (const auto& member : all_of(members, std::regex("\\n  [A-Za-z][\\w:<>]*[ &]+(\\w+)\\(")))
      told(member[1].str());
  }
  const std::string settings = read_file(root + "/include/brood/settings.hpp");
  for (const auto& kind : all_of(settings, std::regex("\\n  Setting& (\\w+)\\((?:const )?std")))
    told(kind[1].str());
}

TEST_CASE("brood_testing(3) has each member of Running and Result") {
  const std::string page = read_file(root + "/man/brood_testing.3");
  const std::string header = read_file(root + "/include/brood/testing.hpp");
  const std::string members = header.substr(0, header.find(" private:"));
  unsigned told = 0;
  for (const auto& member : all_of(members, std::regex("\n  [A-Za-z][\\w:<>]*[ &]+(\\w+)(?:\\(|;| =)"))) {
    ++told;
    CHECK_MESSAGE(page.find(" " + member[1].str()) != std::string::npos,
                  "brood_testing.3 lacks " << member[1].str());
  }
  CHECK(told >= 10);
}

TEST_CASE("brood_server(3) has each member of Trigger and Datagram, and their handlers") {
  const std::string page = read_file(root + "/man/brood_server.3");
  unsigned members = 0;
  for (const std::string header : {"trigger_server", "datagram_server"}) {
    const std::string source = read_file(root + "/include/brood/" + header + ".hpp");
    const std::regex member("\n  (?:virtual )?(?:void|bool|std::\\w+|TriggerKind) (\\w+)\\(");
    for (const auto& found : all_of(source, member)) {
      ++members;
      CHECK_MESSAGE(std::regex_search(page, std::regex("Fn " + found[1].str() + "\\b")),
                    "brood_server.3 lacks " << found[1].str());
    }
  }
  CHECK(members == 17);
}

TEST_CASE("each page is silent under mandoc -T lint") {
  if (std::system("command -v mandoc >/dev/null") != 0) {  // NOLINT(concurrency-mt-unsafe)
    MESSAGE("mandoc is not installed");
    return;
  }
  for (const auto& page : pages()) CHECK(output_of("mandoc -T lint -W all '" + page + "' 2>&1") == "");
}
