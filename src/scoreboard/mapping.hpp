// SPDX-License-Identifier: MIT
// The memory of the scoreboard: one file (or, without a place for one, anonymous memory) mapped three ways.
// Knows nothing of what stands in it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "brood/descriptor.hpp"

namespace brood {

struct MappingDescriptors {
  Descriptor whole;      // reads and writes
  Descriptor read_only;  // the same
};

// Which process of a server this is.
enum class Side { child, parent };

class Mapping {
 public:
  // Creates the file at `path` (mode 0600, blocks allocated: a full disk is an error here, not a SIGBUS
  // later) and puts it in the place of an older one only when it is complete. An empty path makes anonymous
  // memory. The first `orders_size` bytes are the orders; both sizes are multiples of the page size. Throws
  // SystemError.
  Mapping(const std::string& path, std::size_t orders_size, std::size_t gossip_size);
  // One that was made before exec(), from its descriptors. A child gets it without writable_orders(). Throws
  // SystemError.
  Mapping(MappingDescriptors descriptors, std::string path, std::size_t orders_size, Side side);
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;
  ~Mapping();

  std::byte* writable_orders() const;  // nullptr after give_up_orders()
  const std::byte* orders()
      const;  // the same memory from a read-only descriptor: can't be made writable again
  std::byte* gossip() const;
  void remove_file() const;  // unless another one stands in its place by now
  // In a child, before user code runs. With the descriptors, by which all could be mapped again.
  void give_up_orders();
  // The parent's, for a program that takes its place or that it starts; closed by exec() unless that is
  // changed.
  const MappingDescriptors& descriptors() const;

  static std::size_t page_size();

 private:
  struct Regions;
  std::unique_ptr<Regions> regions_;
};

// Someone else's scoreboard, read-only, whole.
class ReadOnlyMapping {
 public:
  explicit ReadOnlyMapping(const std::string& path);  // throws SystemError
  ReadOnlyMapping(ReadOnlyMapping&&) noexcept;
  ~ReadOnlyMapping();

  const std::byte* data() const;
  std::size_t size() const;

 private:
  struct Region;
  std::unique_ptr<Region> region_;
};

}  // namespace brood
