// SPDX-License-Identifier: MIT
// What is read into and what is written: memory of char, unsigned char or std::byte.
#pragma once

#include "brood/cxx20.hpp"

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brood {

template <typename T>
concept ByteLike = std::same_as<T, char> || std::same_as<T, unsigned char> || std::same_as<T, std::byte>;

// Memory for input: an array, a std::vector, a std::span, a std::string, or {pointer, size}.
class Buffer : public std::span<char> {
 public:
  template <ByteLike Byte>
  Buffer(Byte* data, std::size_t size) : span(reinterpret_cast<char*>(data), size) {}
  template <typename Memory>
  requires(!std::derived_from<std::remove_cvref_t<Memory>, Buffer> &&
           requires(Memory & memory) { std::span(memory); } &&
           ByteLike<typename decltype(std::span(std::declval<Memory&>()))::element_type>)
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): not for a Buffer
      Buffer(Memory&& memory)
      : Buffer(std::span(memory).data(), std::span(memory).size()) {}
};

// Bytes to write: a text, an array of bytes, a std::vector, a std::span, or {pointer, size}.
class Bytes : public std::string_view {
 public:
  template <ByteLike Byte>
  Bytes(const Byte* data, std::size_t size) : std::string_view(reinterpret_cast<const char*>(data), size) {}
  template <std::convertible_to<std::string_view> Text>
  requires(!std::derived_from<std::remove_cvref_t<Text>, Bytes>) Bytes(const Text& text)
      : std::string_view(text) {}
  template <typename Memory>
  requires(
      !std::convertible_to<const Memory&, std::string_view> &&
      requires(const Memory& memory) { std::span(memory); } &&
      ByteLike<
          std::remove_const_t<typename decltype(std::span(std::declval<const Memory&>()))::element_type>>)
      Bytes(const Memory& memory)
      : Bytes(std::span(memory).data(), std::span(memory).size()) {}
};

}  // namespace brood
