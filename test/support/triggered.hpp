// SPDX-License-Identifier: MIT
// A server of triggers with what its tests need: its FIFO, what its children wrote down, and writers.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

#include "process_table.hpp"
#include "server_process.hpp"

namespace brood::test {

struct WireRecord {
  pid_t pid = 0;
  std::string listener;
  std::uint64_t missed = 0;
  std::string text;
};

// A test_server of triggers, with a FIFO and a file of what its children wrote down.
struct Triggered {
  explicit Triggered(std::vector<std::string> arguments = {}, bool fifo = true,
                     const std::string& options = "")
      : server(with_ours(std::move(arguments), fifo, options), options_of_server()) {}

  std::vector<std::string> with_ours(std::vector<std::string> arguments, bool fifo,
                                     const std::string& options) {
    arguments.push_back("--out=" + place / "out");
    if (fifo) arguments.push_back("--listen=fifo:" + path() + ",name=door" + options);
    return arguments;
  }
  static ServerOptions options_of_server() {
    return {.program = "brood-trigger-test-server", .listen = false};
  }

  std::string path() const { return place / "fifo"; }
  Descriptor writer() const {
    Descriptor fifo(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(fifo);
    return fifo;
  }
  void write(const std::string& text) const {
    const Descriptor fifo = writer();
    REQUIRE(::write(fifo.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  std::vector<WireRecord> records() const {
    std::vector<WireRecord> all;
    std::istringstream lines(read_file(place / "out"));
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
      std::istringstream words(line);
      WireRecord record;
      std::size_t size = 0;
      words >> record.pid >> record.listener >> record.missed >> size;
      words.get();
      std::getline(words, record.text);
      // Or its writer was killed: how long the text was is written before it.
      if (!line.empty() && record.text.size() == size) all.push_back(record);
    }
    return all;
  }
  bool has_records(std::size_t number) const {
    return eventually([&] { return records().size() >= number; });
  }
  std::string gate() const { return place / "gate"; }
  void open_gate() const { std::ofstream(gate()) << "open"; }

  TemporaryDirectory place;
  ServerProcess server;
};

inline std::vector<std::string> operator+(std::vector<std::string> some,
                                          const std::vector<std::string>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

// Several writers of lines, each line one write(), some as long as PIPE_BUF. They go on until they are told
// to stop, and write so many lines each at least.
class Writers {
 public:
  Writers(const Triggered& triggered, unsigned lines) : least_(lines) {
    for (unsigned& written : written_)
      threads_.emplace_back([this, &written, fifo = triggered.writer()] {
        const auto writer = static_cast<std::size_t>(&written - written_.data());
        for (; written < least_ || !stopping_; ++written) {
          const std::string text = line(writer, written) + '\n';
          if (::write(fifo.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) ++failed_;
        }
      });
  }
  ~Writers() { stop(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Returns how many lines there are.
  std::size_t stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    CHECK(failed_ == 0);
    return std::accumulate(written_.begin(), written_.end(), std::size_t{0});
  }
  // Each record is a whole line, and none is there twice; returns how many of the lines are there.
  std::size_t check(const std::vector<WireRecord>& records) const {
    std::set<std::string> expected, seen;
    for (std::size_t writer = 0; writer < written_.size(); ++writer)
      for (unsigned i = 0; i < written_[writer]; ++i) expected.insert(line(writer, i));
    unsigned torn = 0, twice = 0;
    for (const auto& record : records) {
      if (!expected.contains(record.text)) ++torn;
      if (!seen.insert(record.text).second) ++twice;
    }
    CHECK(torn == 0);
    CHECK(twice == 0);
    return seen.size();
  }

 private:
  static std::string line(std::size_t writer, unsigned number) {
    std::string text = "w" + std::to_string(writer) + '-' + std::to_string(number) + '-';
    const std::size_t most = PIPE_BUF - 1 - text.size();
    const std::size_t size = number % 50 == 0 ? most : number * 37 % 100;
    return text + std::string(size, static_cast<char>('a' + number % 26));
  }

  const unsigned least_;
  std::array<unsigned, 6> written_{};
  std::vector<std::thread> threads_;
  std::atomic<unsigned> failed_ = 0;
  std::atomic<bool> stopping_ = false;
};

inline std::uint64_t switches_of(const std::vector<pid_t>& children) {
  return std::accumulate(children.begin(), children.end(), std::uint64_t{0},
                         [](std::uint64_t sum, pid_t pid) {
                           return sum + std::stoull("0" + status_of(pid, "voluntary_ctxt_switches"));
                         });
}

}  // namespace brood::test
