// SPDX-License-Identifier: MIT
#include "load.hpp"

#include "server_process.hpp"

namespace brood::test {

Load::Load(std::string address, unsigned clients, std::string question, std::string answer)
    : address_(std::move(address)), question_(std::move(question)), answer_(std::move(answer)) {
  for (unsigned i = 0; i < clients; ++i) threads_.emplace_back([this] { live(); });
}

void Load::live() {
  while (!stopping_) {
    try {
      one_connection();
    } catch (const ClientError& error) {
      ++endings_[static_cast<std::size_t>(error.ending())];
      // Nobody there: asking on at full speed would only take the processor from the server.
      if (error.ending() == Ending::refused) std::this_thread::sleep_for(5ms);
    }
  }
}

void Load::one_connection() {
  Client client(address_);
  if (client.ask(question_) != answer_) throw ClientError(Ending::other, "a wrong answer");
  ++answered_;
}

LoadFigures Load::figures() const {
  const auto count = [this](Ending ending) { return endings_[static_cast<std::size_t>(ending)].load(); };
  return {.answered = answered_,
          .refused = count(Ending::refused),
          .reset = count(Ending::reset),
          .closed = count(Ending::closed),
          .timed_out = count(Ending::timed_out),
          .other = count(Ending::other)};
}

bool Load::more_answers(std::uint64_t number) {
  const std::uint64_t wanted = answered_ + number;
  return eventually([&] { return answered_ >= wanted; });
}

LoadFigures Load::stop() {
  stopping_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  return figures();
}

bool counts_all(const ServerProcess& server, const LoadFigures& figures) {
  return server.reaches([&](const auto& service) {
    return service.total.finished == figures.answered && service.open_connections == 0;
  });
}

}  // namespace brood::test
