// SPDX-License-Identifier: MIT
// broodctl: what an administrator asks a server, and in time tells it. The command line, and the errors; each
// verb has a file of its own.
#include <cstdio>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "locate.hpp"
#include "status.hpp"
#include "words.hpp"

namespace {

using namespace brood::ctl;

constexpr const char* usage =
    "usage: broodctl status [--json] [--runtime-directory=DIRECTORY] [NAME | PATH]\n"
    "       broodctl --help\n"
    "\n"
    "Shows the scoreboard of the server NAME, of the file PATH (it has a '/'), or of the only server here.\n"
    "Exit code: 0 fine; 1 warning; 2 critical; 64 wrong usage; 77 not permitted. See broodctl(8).\n";

StatusRequest parse_status(const std::vector<std::string>& words) {
  const std::string directory = "--runtime-directory";
  StatusRequest request;
  bool only_names = false;  // after "--"
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (only_names || word->empty() || word->front() != '-') {
      if (word->empty() || !request.server.empty()) throw Failure("one NAME or PATH, please", wrong_usage);
      request.server = *word;
    } else if (*word == "--") {
      only_names = true;
    } else if (*word == "--json") {
      request.json = true;
    } else if (word->starts_with(directory + '=')) {
      request.runtime_directory = word->substr(directory.size() + 1);
    } else if (*word == directory && std::next(word) != words.end()) {
      request.runtime_directory = *++word;
    } else {
      throw Failure("unknown option '" + *word + "', or it lacks its value; broodctl --help tells",
                    wrong_usage);
    }
  }
  return request;
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) throw Failure("what is to be done? broodctl --help tells", wrong_usage);
  for (const auto& word : words) {
    if (word == "--") break;
    if (word != "--help" && word != "-h") continue;
    std::fputs(usage, stdout);
    return 0;
  }
  if (words.front() != "status") throw Failure("unknown command '" + words.front() + "'", wrong_usage);
  return status(parse_status({words.begin() + 1, words.end()}));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (std::fflush(stdout) == 0) return code;
    throw Failure("the output can't be written", 74);  // EX_IOERR
  } catch (const Failure& failure) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(failure.what()).c_str());
    return failure.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "broodctl: %s\n", harmless(error.what()).c_str());
    return 70;  // EX_SOFTWARE
  }
}
