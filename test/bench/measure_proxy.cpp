// SPDX-License-Identifier: MIT
// The proxy among the examples: 10,000 requests through it, and its rate against tinyproxy's.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "turns.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr const char* path = "/usr/bin/tinyproxy";
constexpr unsigned clients = 32;
constexpr unsigned max_clients = 64;

// It can't be asked for a free port. It has a thread for each connection.
class Tinyproxy {
 public:
  static bool is_installed() { return ::access(path, X_OK) == 0; }

  Tinyproxy() : address_(free_address()), program_(command()) {
    LoadTarget target(address_);
    if (!wait_until([&] { return !program_.running() || target.connect(0); }, 20s, 10ms) ||
        !program_.running())
      throw std::runtime_error("tinyproxy did not start: " + read_file(directory_ / "output"));
  }
  ~Tinyproxy() { program_.kill(); }
  Tinyproxy(const Tinyproxy&) = delete;
  Tinyproxy& operator=(const Tinyproxy&) = delete;

  Contestant contestant() const { return {address_, {program_.pid()}}; }

 private:
  ServiceCommand command() const {
    const std::string configuration = directory_ / "tinyproxy.conf";
    std::ofstream(configuration) << "Port " << address_.substr(address_.find(':') + 1)
                                 << "\nListen 127.0.0.1\nMaxClients 1000\nTimeout 600\nLogLevel Critical\n"
                                 << "Allow 127.0.0.0/8\nLogFile \"" << directory_ / "log"
                                 << "\"\n";
    return {{path, "-d", "-c", configuration}, directory_ / "output", {}};
  }

  TemporaryDirectory directory_;
  std::string address_;
  Program program_;
};

// Absolute form, a connection for each request.
LoadPlan through(const std::string& proxy, const std::string& origin) {
  LoadPlan plan;
  plan.address = proxy;
  plan.concurrency = clients;
  plan.payload =
      "GET http://" + origin + "/file.txt HTTP/1.1\r\nHost: " + origin + "\r\nConnection: close\r\n\r\n";
  plan.form = AnswerForm::http;
  plan.expected_status = 200;
  plan.expected_body = std::string(1024, 'x');
  return plan;
}

void all_right(Report& report, const std::string& name, LoadPlan plan, const MeasuredServer& proxy) {
  LoadWatch watch;
  const LoadResult result = run_load(plan, watch);
  const ServiceSnapshot service = proxy.service();
  report.add(pass_if(result.failed() == 0 && result.answered > 0), name,
             result.describe_failures() + ", " + std::to_string(result.answered) + " right", "none failed");
  report.add(pass_if(service.children_failed == 0 && service.children() <= max_clients),
             name + ", children failed, and how many there are",
             std::to_string(service.children_failed) + ", " + std::to_string(service.children()),
             "0, at most " + std::to_string(max_clients));
}

}  // namespace

void measure_proxy(Report& report, Extent extent) {
  if (!is_built("proxy") || !is_built("httpd")) return report.skip("proxy", "not built");
  TemporaryDirectory documents;
  std::ofstream(documents / "file.txt") << std::string(1024, 'x');
  const MeasuredServer origin("httpd", fixed_pool(2) + Words{"--document-root=" + documents.path()});
  const MeasuredServer proxy("proxy", pool(clients, clients, max_clients, max_clients));
  LoadPlan plan = through(proxy.address(), origin.address());
  plan.connections = extent.of(10'000U, 2'000U);
  all_right(report, "requests, a connection each", plan, proxy);
  plan.connections = 0;
  plan.requests = extent.of(10'000U, 2'000U);
  plan.keep_alive = true;
  plan.payload = plan.payload.replace(plan.payload.find("Connection: close\r\n"), 19, "");
  all_right(report, "requests, 32 connections that are kept", plan, proxy);

  if (!Tinyproxy::is_installed()) return report.skip("tinyproxy", "not installed");
  const Tinyproxy other;
  const Ratios ratios = compare(proxy.contestant(), other.contestant(),
                                through(proxy.address(), origin.address()), extent.of(15, 5));
  report.add(pass_if(ratios.failed == 0), "ratio of connections a second to tinyproxy's",
             ratios.clock_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
             "0 failed; the aim is 1.5");
}

}  // namespace brood::bench
