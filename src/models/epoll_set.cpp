// SPDX-License-Identifier: MIT
#include "models/epoll_set.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {

EpollSet::EpollSet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw SystemError("epoll_create1", errno);
}

void EpollSet::add(int descriptor, std::uint32_t events, std::uint64_t key) const {
  control(EPOLL_CTL_ADD, descriptor, events, key);
}

void EpollSet::change(int descriptor, std::uint32_t events, std::uint64_t key) const {
  control(EPOLL_CTL_MOD, descriptor, events, key);
}

void EpollSet::remove(int descriptor) const { control(EPOLL_CTL_DEL, descriptor, 0, 0); }

void EpollSet::forget(int descriptor) const noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
}

void EpollSet::control(int operation, int descriptor, std::uint32_t events, std::uint64_t key) const {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) throw SystemError("epoll_ctl", errno);
}

std::span<const epoll_event> EpollSet::wait(std::span<epoll_event> room, int milliseconds) const {
  const int number = ::epoll_wait(epoll_.get(), room.data(), static_cast<int>(room.size()), milliseconds);
  if (number >= 0) return room.first(static_cast<std::size_t>(number));
  if (errno != EINTR) throw SystemError("epoll_wait", errno);
  return {};
}

// "tfd:        5 events: 8000001d data:     55d5c4d8e0c0  pos:0 ino:..."
std::optional<EpollEntry> find_epoll_entry(int descriptor) {
  namespace fs = std::filesystem;
  std::error_code failed;
  for (fs::directory_iterator entry("/proc/self/fd", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code gone;
    if (fs::read_symlink(entry->path(), gone) != "anon_inode:[eventpoll]") continue;
    const std::string number = entry->path().filename();
    std::ifstream watched("/proc/self/fdinfo/" + number);
    std::string tfd, events, mask, data, value;
    for (std::string line; std::getline(watched, line);) {
      std::istringstream words(line);
      std::string target;
      if (!(words >> tfd >> target >> events >> mask >> data >> value) || tfd != "tfd:" || data != "data:")
        continue;
      const auto reported = parse_number<std::uint64_t>(value, 16);
      const auto epoll = parse_number<int>(number);
      if (parse_number<int>(target) == descriptor && reported && epoll) return EpollEntry{*epoll, *reported};
    }
  }
  return {};
}

}  // namespace brood
