// SPDX-License-Identifier: MIT
// A line of the log as a JSON object.
#pragma once

#include <spdlog/formatter.h>

#include <memory>
#include <string>

namespace brood {

class JsonFormatter final : public spdlog::formatter {
 public:
  // `service`: whose name each line has at the moment of writing; "": the line is about none. It outlives
  // this.
  explicit JsonFormatter(const std::string& service) : service_(service) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override;
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(service_);
  }

 private:
  const std::string& service_;
};

}  // namespace brood
