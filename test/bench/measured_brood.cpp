// SPDX-License-Identifier: MIT
#include "measured_brood.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "load_client.hpp"
#include "proc.hpp"

namespace brood::bench {
namespace {

constexpr std::chrono::seconds control_patience{60};

}  // namespace

MeasuredBrood::MeasuredBrood(const std::vector<ServiceFile>& services) {
  std::filesystem::create_directory(directory_ / "services");
  for (const auto& service : services) {
    std::ofstream file(directory_ / ("services/" + service.name + ".conf"));
    file << "listen = 127.0.0.1:0\n";
    for (const auto& line : service.lines) file << line << '\n';
  }
  start();
}

void MeasuredBrood::start() {
  MeasuredServer::Surroundings surroundings;
  surroundings.listen.clear();
  surroundings.directory = directory_.path();
  std::filesystem::remove(directory_ / "log");  // of an earlier start, which was ready too
  server_ = std::make_unique<MeasuredServer>(
      "brood", Words{"--config-directory=" + (directory_ / "services")}, surroundings);
}

void MeasuredBrood::kill_parent() { server_->program().kill(); }

ServiceSnapshot MeasuredBrood::service(const std::string& name) const {
  for (auto& service : server_->snapshot().services)
    if (service.name == name) return service;
  throw std::runtime_error("there is no service " + name);
}

std::vector<pid_t> MeasuredBrood::children_of(const std::string& name) const {
  std::vector<pid_t> pids;
  for (const auto& slot : service(name).slots)
    if (slot.state != SlotState::empty && slot.pid > 0) pids.push_back(slot.pid);
  std::sort(pids.begin(), pids.end());
  return pids;
}

int MeasuredBrood::control(const Words& words) const {
  ServiceCommand command;
  command.words = {neighbour("broodctl"), "--runtime-directory=" + directory_.path()};
  command.words.insert(command.words.end(), words.begin(), words.end());
  command.output = directory_ / "control";
  Program program(command);
  const auto status = program.wait(control_patience);
  if (!status || !WIFEXITED(*status)) throw std::runtime_error("broodctl did not end");
  return WEXITSTATUS(*status);
}

std::chrono::nanoseconds ask_once(const std::string& address) {
  LoadPlan plan;
  plan.address = address;
  plan.connections = 1;
  LoadWatch watch;
  const LoadResult result = run_load(plan, watch);
  if (result.answered != 1) throw std::runtime_error(address + ": " + result.describe_failures());
  return result.first_byte.longest();
}

}  // namespace brood::bench
