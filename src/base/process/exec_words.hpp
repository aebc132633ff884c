// SPDX-License-Identifier: MIT
// The words of a command line or of an environment in the form that exec() takes. It points to the words,
// which must outlive it.
#pragma once

#include <string>
#include <vector>

namespace brood {

class ExecWords {
 public:
  explicit ExecWords(const std::vector<std::string>& words) {
    pointers_.reserve(words.size() + 1);
    for (const auto& word : words)
      pointers_.push_back(const_cast<char*>(word.c_str()));  // exec() takes no const, but changes nothing
    pointers_.push_back(nullptr);
  }
  explicit ExecWords(std::vector<std::string>&&) = delete;

  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<char*> pointers_;
};

}  // namespace brood
