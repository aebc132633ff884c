// SPDX-License-Identifier: MIT
// The memory of the scoreboard: one file, or anonymous memory, mapped three ways. Knows nothing of its
// contents.
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
  // Creates the file of `path` (mode 0600), which gets its name by give_name(). Its blocks are allocated, so
  // that a full disk is an error here and not a SIGBUS later. An empty path makes anonymous memory. The first
  // `orders_size` bytes are the orders; all sizes are multiples of the page size. The last `hole` bytes of
  // the gossip have no blocks before allocate(). Throws SystemError.
  Mapping(const std::string& path, std::size_t orders_size, std::size_t gossip_size, std::size_t hole = 0);
  // Maps one that was created before exec(), from its descriptors. A child has no writable_orders(). Throws
  // Error or SystemError.
  Mapping(MappingDescriptors descriptors, std::string path, std::size_t orders_size, Side side);
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;
  ~Mapping();

  // When the content is complete: readers find it from here on. It replaces an older file. Throws
  // SystemError.
  void give_name() const;

  std::byte* writable_orders() const;  // nullptr after give_up_orders()
  // The same memory from a read-only descriptor: mprotect() cannot make it writable.
  const std::byte* orders() const;
  std::byte* gossip() const;
  void allocate(std::size_t offset, std::size_t size) const;  // of the hole; parent only; throws SystemError
  void share_with(gid_t group) const;  // its members may read the file; throws SystemError
  void remove_file() const;            // unless another file has replaced it
  bool has_file() const;               // at its path
  // If its path has no file. False: it can't be done, because the file has no other name.
  bool give_name_again() const;
  // In a child, before user code runs: unmaps the writable orders, and closes the descriptors, by which they
  // could be mapped again.
  void give_up_orders();
  // In the parent, for a program that takes over or that it starts. Close-on-exec.
  const MappingDescriptors& descriptors() const;

  static std::size_t page_size();

 private:
  struct Regions;
  std::unique_ptr<Regions> regions_;
};

// The scoreboard of another process, read-only, as a whole.
class ReadOnlyMapping {
 public:
  explicit ReadOnlyMapping(const std::string& path);  // throws SystemError
  // By a read-only descriptor, which may be closed then. Throws Error or SystemError.
  explicit ReadOnlyMapping(const Descriptor& file);
  ReadOnlyMapping(ReadOnlyMapping&&) noexcept;
  ReadOnlyMapping& operator=(ReadOnlyMapping&&) noexcept;
  ~ReadOnlyMapping();

  const std::byte* data() const;
  std::size_t size() const;

 private:
  struct Region;
  std::unique_ptr<Region> region_;
};

}  // namespace brood
