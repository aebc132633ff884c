// SPDX-License-Identifier: MIT
// The child model for triggers: children compete in read() on timers and FIFOs.
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "brood/trigger_server.hpp"
#include "models/line_reader.hpp"
#include "models/receive_loop.hpp"

namespace brood {
namespace {

class TriggerReceiver final : public Receiver {
 public:
  bool try_receive(const Source& source, sockaddr_storage& /*peer*/) override {
    kind_ = source.trigger.value_or(TriggerKind::byte);
    listener_ = source.listener;
    ticks_ = 1;
    bytes_ = 0;
    switch (kind_) {
      case TriggerKind::timer:
        return ::read(source.descriptor, &ticks_, sizeof ticks_) == sizeof ticks_;
      case TriggerKind::line:
        return receive_line(source.descriptor);
      case TriggerKind::byte:
        text_.resize(1);
        bytes_ = 1;
        return ::read(source.descriptor, text_.data(), 1) == 1;
    }
    return false;
  }

  Trigger work(Child& child, ConnectionId id) const {
    return Trigger({.kind = kind_,
                    .listener = listener_,
                    .text = kind_ == TriggerKind::timer ? std::string_view() : text_,
                    .missed = ticks_ - 1,
                    .child = child,
                    .id = id});
  }
  std::string name() const { return "trigger of " + std::string(listener_); }
  std::uint64_t bytes_read() const { return bytes_; }
  static std::uint64_t bytes_written() { return 0; }

 private:
  bool receive_line(int fifo) {
    if (!lines_) lines_.emplace();
    const auto line = lines_->read(fifo);
    if (!line) return false;
    bytes_ = line->size();
    text_ = line->ends_with('\n') ? line->substr(0, line->size() - 1) : *line;
    return true;
  }

  std::optional<LineReader> lines_;
  TriggerKind kind_ = TriggerKind::timer;
  std::string_view listener_;
  std::uint64_t ticks_ = 1, bytes_ = 0;
  std::string text_;
};

}  // namespace

void TriggerServer::serve(Child& child) {
  TriggerReceiver receiver;
  receive_loop(child, receiver, [this](Trigger trigger) {
    trigger.note(trigger.listener());
    handle_trigger(trigger);
  });
}

}  // namespace brood
