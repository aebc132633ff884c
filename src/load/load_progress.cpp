// SPDX-License-Identifier: MIT
#include "load/load_progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace brood::load {
namespace {

using Seconds = std::chrono::duration<double>;

unsigned long long number(std::uint64_t value) { return value; }

std::string readable(std::chrono::nanoseconds latency) {
  char text[32];
  const double us = std::chrono::duration<double, std::micro>(latency).count();
  std::snprintf(text, sizeof text, us < 10'000 ? "%.0f us" : "%.0f ms", us < 10'000 ? us : us / 1000);
  return text;
}

void print_latencies(const char* what, const Latencies& latencies) {
  std::printf("%-12s p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n", what, readable(latencies.at(0.5)).c_str(),
              readable(latencies.at(0.9)).c_str(), readable(latencies.at(0.99)).c_str(),
              readable(latencies.at(0.999)).c_str(), readable(latencies.longest()).c_str());
}

void print_statuses(const LoadResult& result) {
  std::printf("%-12s", "status");
  const char* separator = " ";
  for (std::size_t i = 0; i < result.statuses.size(); ++i) {
    if (result.statuses[i] == 0) continue;
    std::printf("%s%llu %zuxx", separator, number(result.statuses[i]), i);
    separator = ", ";
  }
  std::printf("%s\n%-12s %llu announced\n", result.answered == 0 ? " none" : "", "closes",
              number(result.announced_closes));
}

}  // namespace

LoadProgress::LoadProgress() : rewrites_(::isatty(STDERR_FILENO) == 1) {}

LoadProgress::~LoadProgress() {
  if (rewrites_) std::fputs("\r\033[K", stderr);
}

void LoadProgress::show(const LoadResult& so_far) {
  const double rate =
      static_cast<double>(so_far.answered - answered_) / Seconds(so_far.elapsed - elapsed_).count();
  std::fprintf(stderr, "%s%4.0f s: %.0f requests/s, %llu connections, %llu errors%s",
               rewrites_ ? "\r\033[K" : "", Seconds(so_far.elapsed).count(), rate, number(so_far.standing),
               number(so_far.failed()), rewrites_ ? "" : "\n");
  answered_ = so_far.answered;
  elapsed_ = so_far.elapsed;
}

void print_summary(const LoadPlan& plan, const LoadResult& result) {
  std::printf("%-12s %llu %s in %.2f s, %.0f a second, %u at a time\n", "answered", number(result.answered),
              plan.keep_alive ? "exchanges" : "connections", Seconds(result.elapsed).count(), result.rate(),
              plan.concurrency);
  print_latencies("first byte", result.first_byte);
  print_latencies("whole", result.whole);
  std::printf("%-12s %llu sent, %llu received\n", "bytes", number(result.bytes_sent),
              number(result.bytes_received));
  if (!plan.http_path.empty() || plan.form == AnswerForm::http) print_statuses(result);
  const std::uint64_t wrong = result.count(Failure::wrong) + result.count(Failure::malformed);
  const std::uint64_t refused = result.count(Failure::refused);
  std::printf("%-12s %llu right, %llu wrong, %llu refused, %llu lost\n", "outcome", number(result.answered),
              number(wrong), number(refused), number(result.failed() - wrong - refused));
  std::printf("%-12s %s\n", "failed", result.describe_failures().c_str());
}

}  // namespace brood::load
