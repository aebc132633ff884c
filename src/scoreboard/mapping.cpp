// SPDX-License-Identifier: MIT
#include "scoreboard/mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstdio>

#include "base/file_identity.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace ipc = boost::interprocess;
namespace {

// Boost's concept MemoryMappable, for a descriptor.
struct Mappable {
  int descriptor;
  ipc::mapping_handle_t get_mapping_handle() const { return {descriptor, false}; }
};

ipc::mapped_region map(const Descriptor& descriptor, ipc::mode_t mode, std::size_t offset, std::size_t size,
                       const std::string& what) {
  try {
    return {Mappable{descriptor.get()}, mode, static_cast<ipc::offset_t>(offset), size};
  } catch (const ipc::interprocess_exception& error) {
    throw SystemError("map " + what, error.get_native_error());
  }
}

void allocate(const Descriptor& descriptor, std::size_t offset, std::size_t size, const std::string& what) {
  const int error_number =
      ::posix_fallocate(descriptor.get(), static_cast<off_t>(offset), static_cast<off_t>(size));
  if (error_number != 0) throw SystemError("allocate " + what, error_number);
}

Descriptor open_or_throw(const std::string& path, int flags, mode_t mode = 0) {
  Descriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!descriptor) throw SystemError("open scoreboard " + path, errno);
  return descriptor;
}

// Readers pass over names with a '.'.
std::string temporary_name(const std::string& path) { return text(path, ".", ::getpid()); }

}  // namespace

struct Mapping::Regions {
  ipc::mapped_region writable_orders, orders, gossip;
  MappingDescriptors descriptors;
  std::string path;
  FileIdentity file;  // that this process created

  void map_all(std::size_t orders_size, std::size_t gossip_size, Side side, const std::string& what) {
    const auto& [whole, read_only] = descriptors;
    if (side == Side::parent) writable_orders = map(whole, ipc::read_write, 0, orders_size, what);
    orders = map(read_only, ipc::read_only, 0, orders_size, what);
    gossip = map(whole, ipc::read_write, orders_size, gossip_size, what);
    file = FileIdentity::of(whole.get());
  }
};

Mapping::Mapping(const std::string& path, std::size_t orders_size, std::size_t gossip_size, std::size_t hole)
    : regions_(std::make_unique<Regions>()) {
  const std::string what = path.empty() ? "anonymous scoreboard" : "scoreboard " + path;
  const std::string temporary = path.empty() ? "" : temporary_name(path);
  Descriptor file;
  if (path.empty()) {
    file.reset(::memfd_create("brood-scoreboard", MFD_CLOEXEC));
    if (!file) throw SystemError("create " + what, errno);
  } else {
    ::unlink(temporary.c_str());  // of an earlier process with this pid
    file = open_or_throw(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  }
  try {
    ::brood::allocate(file, 0, orders_size + gossip_size - hole, what);
    if (hole > 0 && ::ftruncate(file.get(), static_cast<off_t>(orders_size + gossip_size)) != 0)
      throw SystemError("set the size of " + what, errno);
    Descriptor read_only =
        open_or_throw(path.empty() ? text("/proc/self/fd/", file.get()) : temporary, O_RDONLY);
    regions_->descriptors = {.whole = std::move(file), .read_only = std::move(read_only)};
    regions_->path = path;
    regions_->map_all(orders_size, gossip_size, Side::parent, what);
  } catch (...) {
    if (!path.empty()) ::unlink(temporary.c_str());
    throw;
  }
}

void Mapping::give_name() const {
  const std::string& path = regions_->path;
  if (path.empty()) return;
  const std::string temporary = temporary_name(path);
  if (::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int error_number = errno;
  ::unlink(temporary.c_str());
  throw SystemError("rename " + temporary + " to " + path, error_number);
}

Mapping::Mapping(MappingDescriptors descriptors, std::string path, std::size_t orders_size, Side side)
    : regions_(std::make_unique<Regions>()) {
  const std::string what = path.empty() ? "anonymous scoreboard" : "scoreboard " + path;
  struct stat status {};
  if (::fstat(descriptors.whole.get(), &status) != 0) throw SystemError("stat " + what, errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size <= orders_size) throw Error(what + " is smaller than it says");
  regions_->descriptors = std::move(descriptors);
  regions_->path = std::move(path);
  regions_->map_all(orders_size, size - orders_size, side, what);
  if (side == Side::child) regions_->descriptors = {};
}

Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;

std::byte* Mapping::writable_orders() const {
  return static_cast<std::byte*>(regions_->writable_orders.get_address());
}
const std::byte* Mapping::orders() const {
  return static_cast<const std::byte*>(regions_->orders.get_address());
}
std::byte* Mapping::gossip() const { return static_cast<std::byte*>(regions_->gossip.get_address()); }

void Mapping::share_with(gid_t group) const {
  const int file = regions_->descriptors.whole.get();
  if (::fchown(file, static_cast<uid_t>(-1), group) != 0 || ::fchmod(file, 0640) != 0)
    throw SystemError(text("let group ", group, " read scoreboard ", regions_->path), errno);
}

void Mapping::allocate(std::size_t offset, std::size_t size) const {
  ::brood::allocate(regions_->descriptors.whole, offset, size, "more of scoreboard " + regions_->path);
}

void Mapping::remove_file() const {
  if (has_file()) ::unlink(regions_->path.c_str());
}

bool Mapping::has_file() const { return !regions_->path.empty() && regions_->file.is_at(regions_->path); }

// It may have been renamed. The path of another file is not taken: that may be the scoreboard of a server
// that has followed this one.
bool Mapping::give_name_again() const {
  const std::string file = text("/proc/self/fd/", regions_->descriptors.whole.get());
  return ::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, regions_->path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

void Mapping::give_up_orders() {
  regions_->writable_orders = ipc::mapped_region();
  regions_->descriptors = {};
}

const MappingDescriptors& Mapping::descriptors() const { return regions_->descriptors; }

std::size_t Mapping::page_size() { return ipc::mapped_region::get_page_size(); }

struct ReadOnlyMapping::Region {
  explicit Region(ipc::mapped_region region) : whole(std::move(region)) {}
  ipc::mapped_region whole;
};

namespace {

ipc::mapped_region map_all_of(const Descriptor& file, const std::string& what) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw SystemError("stat " + what, errno);
  if (!S_ISREG(status.st_mode)) throw Error(what + " is not a file");
  if (status.st_size == 0) throw Error(what + ": the file is empty");
  return map(file, ipc::read_only, 0, static_cast<std::size_t>(status.st_size), what);
}

}  // namespace

// Not blocking: a FIFO of that name would hold up the reader.
ReadOnlyMapping::ReadOnlyMapping(const std::string& path)
    : region_(std::make_unique<Region>(
          map_all_of(open_or_throw(path, O_RDONLY | O_NONBLOCK), "scoreboard " + path))) {}

ReadOnlyMapping::ReadOnlyMapping(const Descriptor& file)
    : region_(std::make_unique<Region>(map_all_of(file, text("scoreboard of descriptor ", file.get())))) {}

ReadOnlyMapping::ReadOnlyMapping(ReadOnlyMapping&&) noexcept = default;
ReadOnlyMapping& ReadOnlyMapping::operator=(ReadOnlyMapping&&) noexcept = default;
ReadOnlyMapping::~ReadOnlyMapping() = default;

const std::byte* ReadOnlyMapping::data() const {
  return static_cast<const std::byte*>(region_->whole.get_address());
}
std::size_t ReadOnlyMapping::size() const { return region_->whole.get_size(); }

}  // namespace brood
