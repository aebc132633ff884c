// SPDX-License-Identifier: MIT
// The load client as a program. Exit code: 0 all connections were answered, 1 some were not, 64 wrong usage.
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "load.hpp"
#include "load_progress.hpp"

namespace {

using namespace brood::bench;

constexpr int wrong_usage = 64;

constexpr const char* usage =
    "usage: brood-load ADDRESS [OPTION ...]\n"
    "  ADDRESS            IPV4:PORT or unix:PATH\n"
    "  --concurrency N    clients at the same time (1)\n"
    "  --connections N    end after so many connections\n"
    "  --seconds S        end after so many seconds; without this or --connections: 10\n"
    "  --payload TEXT     what each client says, a newline is added (hello)\n"
    "  --http PATH        ask for PATH by HTTP, instead of saying a line\n"
    "  --keep-alive       one connection a client, and exchange after exchange on it; ends by --seconds\n"
    "  --hold S           keep each connection open for so many seconds after its answer\n"
    "  --timeout S        give an answer up after so many seconds (10)\n"
    "  --show             print each answer\n"
    "  --progress         tell once a second how it goes, also where that is no terminal\n";

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

LoadWatch watch;

template <typename Number>
Number number(std::string_view option, std::string_view text, Number lowest) {
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || value < lowest)
    throw UsageError(std::string(option) + " " + std::string(text) + ": not a number from " +
                     std::to_string(lowest));
  return value;
}

std::chrono::nanoseconds seconds(std::string_view option, std::string_view text) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(number<double>(option, text, 0.001)));
}

struct CommandLine {
  LoadPlan plan;
  bool progress = false;
};

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  LoadPlan& plan = line.plan;
  int i = 1;
  const auto value = [&](std::string_view option) -> std::string_view {
    if (++i >= argc) throw UsageError(std::string(option) + " needs a value");
    return argv[i];
  };
  for (; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--concurrency")
      plan.concurrency = number(word, value(word), 1U);
    else if (word == "--connections")
      plan.connections = number(word, value(word), std::uint64_t{1});
    else if (word == "--seconds")
      plan.duration = seconds(word, value(word));
    else if (word == "--payload")
      plan.payload = std::string(value(word)) + "\n";
    else if (word == "--http")
      plan.http_path = value(word);
    else if (word == "--progress")
      line.progress = true;
    else if (word == "--keep-alive")
      plan.keep_alive = true;
    else if (word == "--hold")
      plan.hold = seconds(word, value(word));
    else if (word == "--timeout")
      plan.timeout = seconds(word, value(word));
    else if (word == "--show")
      plan.on_answer = [](std::string_view answer) {
        std::printf("%.*s\n", static_cast<int>(answer.size()), answer.data());
      };
    else if (word.starts_with("-"))
      throw UsageError(std::string(word) + ": no such option");
    else if (plan.address.empty())
      plan.address = word;
    else
      throw UsageError(std::string(word) + ": one address is enough");
  }
  if (plan.address.empty()) throw UsageError("no address");
  if (plan.keep_alive && plan.connections > 0)
    throw UsageError("--keep-alive ends by --seconds, not by --connections");
  if (!plan.http_path.empty() && !plan.http_path.starts_with("/"))
    throw UsageError("--http " + plan.http_path + ": a path begins with /");
  if (!plan.http_path.empty() && plan.on_answer) throw UsageError("--show shows lines, not HTTP");
  if (plan.connections == 0 && plan.duration.count() == 0) plan.duration = std::chrono::seconds(10);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    auto [plan, wants_progress] = parse(argc, argv);
    std::optional<LoadProgress> progress;
    if (wants_progress || (!plan.on_answer && ::isatty(STDERR_FILENO) == 1)) {
      progress.emplace();
      plan.on_look = [&](const LoadResult& so_far) { progress->show(so_far); };
    }
    std::signal(SIGINT, [](int) { watch.stop.store(true); });
    const LoadResult result = run_load(plan, watch);
    progress.reset();
    if (!plan.on_answer)
      print_summary(plan, result);
    else if (result.failed() > 0)
      std::fprintf(stderr, "failed: %s\n", result.describe_failures().c_str());
    return result.failed() > 0 ? 1 : 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "brood-load: %s\n%s", error.what(), usage);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "brood-load: %s\n%s", error.what(), usage);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "brood-load: %s\n", error.what());
    return 1;
  }
  return wrong_usage;
}
