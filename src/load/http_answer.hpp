// SPDX-License-Identifier: MIT
// As much of HTTP as it takes to know when an answer is whole: its status, its Content-Length, and whether
// the server closes after it. No chunks, no answers without a length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brood::load {

class HttpAnswer {
 public:
  enum class Progress : std::uint8_t { partial, whole, malformed };

  // What has come next. After `whole` the next answer begins.
  Progress take(std::string_view input);
  void clear();

  // Of an answer that is whole:
  unsigned status() const { return status_; }
  bool announces_close() const { return announces_close_; }

 private:
  bool parse_head(std::string_view head);
  bool parse_header(std::string_view line);

  std::string head_;  // until it is whole
  std::uint64_t body_left_ = 0;
  unsigned status_ = 0;
  bool has_length_ = false;
  bool announces_close_ = false;
  bool in_body_ = false;
};

}  // namespace brood::load
