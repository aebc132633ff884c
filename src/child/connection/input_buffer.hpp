// SPDX-License-Identifier: MIT
// Input that was read and not yet taken, and the search for a whole piece of it: a line, all before a
// delimiter, a number of bytes, a frame. The same for blocking code, event loops and coroutines. It knows no
// socket and never waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brood {

// What is to be taken.
struct Wanted {
  enum class Kind : std::uint8_t { line, until, exact, frame };

  Kind kind = Kind::line;
  std::size_t longest = 0;            // without delimiter or prefix; exact: the size
  std::string_view delimiter = "\n";  // line, until
  unsigned prefix = 0;                // frame: the size of its length
  std::size_t searched = 0;           // before this place there is no delimiter
};

inline Wanted a_line(std::size_t longest) { return {.kind = Wanted::Kind::line, .longest = longest}; }
Wanted all_before(std::string_view delimiter, std::size_t longest);  // throws Error if the delimiter is empty
inline Wanted exactly(std::size_t size) { return {.kind = Wanted::Kind::exact, .longest = size}; }
inline Wanted a_frame(unsigned prefix, std::size_t longest) {
  return {.kind = Wanted::Kind::frame, .longest = longest, .prefix = prefix};
}

struct Found {
  enum class Problem : std::uint8_t { none, too_long, cut_off };

  std::optional<std::string> piece;
  Problem problem = Problem::none;
};

class InputBuffer {
 public:
  // What is to be dropped does not count.
  bool empty() const { return skips() || unread().empty(); }
  std::string_view unread() const { return std::string_view(data_).substr(begin_); }
  void append(std::string_view data);
  std::size_t read(std::span<char> buffer);  // takes what there is
  void consume(std::size_t size);

  // Takes a whole piece if there is one. `ended`: nothing will be appended. Then the last line may lack its
  // end, and any other piece that is not whole is cut off. If a piece is too long, nothing is taken.
  Found take(Wanted& wanted, bool ended);

  // Drops the piece that was found to be too long, also what is appended of it later, which is not kept. Does
  // nothing if something was taken since.
  void skip();
  bool skips() const { return skips_; }

 private:
  struct Extent {
    std::size_t begin = 0, size = 0;  // of the content
    std::size_t whole = 0;            // with delimiter or prefix; 0: the piece is not whole
    bool too_long = false;
  };
  Extent look_for(Wanted& wanted, bool ended);
  Extent look_for_delimiter(Wanted& wanted, bool ended);
  Extent look_for_frame(const Wanted& wanted);
  void remember(std::string_view skip_to, std::uint64_t skip_bytes);
  void drop();

  std::string data_;
  std::size_t begin_ = 0;  // of what is unread
  // Of the piece that was too long: up to its delimiter, or so many bytes.
  std::string skip_to_;
  std::uint64_t skip_bytes_ = 0;
  bool skips_ = false;
};

// Throws what a piece that is too long or cut off means to a handler: TooLongError, ConnectionError.
[[noreturn]] void throw_problem(Found::Problem problem, const Wanted& wanted, const std::string& peer);

}  // namespace brood
