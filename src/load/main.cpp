// SPDX-License-Identifier: MIT
// brood-load: the load client as a program.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include "base/text/help_text.hpp"
#include "base/text/version.hpp"
#include "load/arguments.hpp"
#include "load/load.hpp"
#include "load/load_progress.hpp"

namespace {

using namespace brood::load;

constexpr int not_all_right = 1;
constexpr int wrong_usage = 64;
constexpr int output_failed = 74;

LoadWatch watch;

void print_answer(std::string_view answer) {
  std::fwrite(answer.data(), 1, answer.size(), stdout);
  if (!answer.ends_with('\n')) std::fputc('\n', stdout);
}

int run(Arguments arguments) {
  LoadPlan& plan = arguments.plan;
  std::optional<LoadProgress> progress;
  if (arguments.progress || (!arguments.show && ::isatty(STDERR_FILENO) == 1)) {
    progress.emplace();
    plan.on_look = [&](const LoadResult& so_far) { progress->show(so_far); };
  }
  if (arguments.show) plan.on_answer = print_answer;
  std::signal(SIGINT, [](int) { watch.stop.store(true); });
  const LoadResult result = run_load(plan, watch);
  progress.reset();
  if (!arguments.show)
    print_summary(plan, result);
  else if (result.failed() > 0)
    std::fprintf(stderr, "failed: %s\n", result.describe_failures().c_str());
  return result.failed() > 0 ? not_all_right : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse_arguments({argv + (argc > 0 ? 1 : 0), argv + argc});
    int code = 0;
    if (arguments.help)
      std::fputs(help(brood::terminal_width(STDOUT_FILENO)).c_str(), stdout);
    else if (arguments.version)
      std::fputs(brood::version_line("brood-load").c_str(), stdout);
    else
      code = run(arguments);
    if (std::fflush(stdout) == 0) return code;
    std::fputs("brood-load: the output can't be written\n", stderr);
    return output_failed;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "brood-load: %s; see brood-load --help\n", error.what());
    return wrong_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "brood-load: %s\n", error.what());
    return not_all_right;
  }
}
