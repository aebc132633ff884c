// SPDX-License-Identifier: MIT
#include "measured_server.hpp"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto start_patience = 20s;

void become(uid_t user) {
  if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(127);
}

}  // namespace

Words pool(unsigned start, unsigned min_spare, unsigned max_spare, unsigned max_clients) {
  return {"--start-servers=" + std::to_string(start), "--min-spare-servers=" + std::to_string(min_spare),
          "--max-spare-servers=" + std::to_string(max_spare), "--max-clients=" + std::to_string(max_clients)};
}

MeasuredServer::MeasuredServer(const std::string& name, const Words& settings,
                               const Surroundings& surroundings)
    : given_directory_(surroundings.directory), program_(command(name, settings, surroundings)) {
  await_ready();
}

// Children leave when their parent is gone, but those that are stopped, or sleep in a handler, take their
// time.
MeasuredServer::~MeasuredServer() {
  const auto children = program_.running() ? children_of(program_.pid()) : std::vector<pid_t>();
  program_.kill();
  end_orphans(children);
}

ServiceCommand MeasuredServer::command(const std::string& name, const Words& settings,
                                       const Surroundings& surroundings) const {
  ServiceCommand command;
  command.words = {neighbour(name), "--runtime-directory=" + place(), "--log=" + log_path()};
  for (const auto& listen : surroundings.listen) command.words.push_back("--listen=" + listen);
  command.words.insert(command.words.end(), settings.begin(), settings.end());
  command.output = place() + "/output";
  command.before_exec = [surroundings] {
    if (surroundings.before_exec) surroundings.before_exec();
    if (surroundings.user) become(*surroundings.user);
  };
  if (surroundings.user && ::chown(place().c_str(), *surroundings.user, *surroundings.user) != 0)
    throw std::system_error(errno, std::generic_category(), "chown " + place());
  return command;
}

void MeasuredServer::await_ready() {
  const std::regex ready("ready: .* on (.*), pid [0-9]+, scoreboard (.*)\n");
  std::smatch found;
  std::string log;
  const bool is_ready = wait_until(
      [&] {
        log = this->log();
        return std::regex_search(log, found, ready) || !program_.running();
      },
      start_patience);
  if (!is_ready || found.empty())
    throw std::runtime_error("the server did not start:\n" + log + read_file(place() + "/output"));
  std::istringstream addresses(found[1].str());
  for (std::string address; addresses >> address;) addresses_.push_back(address);
  scoreboard_ = found[2].str();
}

std::vector<pid_t> MeasuredServer::children() const {
  std::vector<pid_t> pids;
  for (const auto& slot : service().slots)
    if (slot.state != SlotState::empty && slot.pid > 0) pids.push_back(slot.pid);
  return pids;
}

bool any_torn(const ServiceSnapshot& service) {
  return std::any_of(service.slots.begin(), service.slots.end(),
                     [](const SlotSnapshot& slot) { return slot.torn; });
}

bool all_of_generation(const ServiceSnapshot& service, std::uint32_t generation) {
  return service.generation == generation &&
         std::all_of(service.slots.begin(), service.slots.end(), [&](const SlotSnapshot& slot) {
           return slot.state == SlotState::empty || slot.generation == generation;
         });
}

Counted counted_after(const LoadResult& load, const MeasuredServer& server) {
  Counted counted;
  counted.exact = wait_until(
      [&] {
        counted.service = server.service();
        const FiguresSnapshot& total = counted.service.total;
        return counted.service.open_connections == 0 && total.accepted == load.answered &&
               total.finished == load.answered && total.aborted == 0;
      },
      5s);
  return counted;
}

BareServer::BareServer(const std::string& name, unsigned children)
    : program_({{neighbour(name), "0", std::to_string(children)}, directory_ / "output", {}}) {
  const auto output = [this] { return read_file(directory_ / "output"); };
  if (!wait_until([&] { return output().ends_with('\n'); }, start_patience))
    throw std::runtime_error("the bare loop did not start: " + output());
  address_ = "127.0.0.1:" + std::to_string(std::stoi(output()));
}

BareServer::~BareServer() {
  const auto orphans = children();
  program_.kill();
  end_orphans(orphans);
}

std::vector<pid_t> BareServer::children() const { return children_of(program_.pid()); }

const LoadResult& BackgroundLoad::finish() {
  watch_.stop.store(true);
  if (thread_.joinable()) thread_.join();
  return result_;
}

}  // namespace brood::bench
