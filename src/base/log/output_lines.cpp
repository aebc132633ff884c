// SPDX-License-Identifier: MIT
#include "base/log/output_lines.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace brood {

void OutputLines::pass_on(const Part& part, const Sink& sink) {
  if (part.cut > 0)
    sink(part.writer, text(part.text, " ... (", part.cut, " bytes more)"));
  else if (!part.text.empty())
    sink(part.writer, part.text);
}

OutputLines::Part& OutputLines::part_of(pid_t writer, Time now, const Sink& sink) {
  const auto found = std::ranges::find(parts_, writer, &Part::writer);
  if (found != parts_.end()) return *found;
  if (parts_.size() == most_parts) {
    pass_on(parts_.front(), sink);
    parts_.erase(parts_.begin());
  }
  return parts_.emplace_back(Part{.writer = writer, .since = now});
}

void OutputLines::add(pid_t writer, std::string_view data, Time now, const Sink& sink) {
  while (!data.empty()) {
    const auto end = data.find('\n');
    const std::string_view piece = data.substr(0, end);
    Part& part = part_of(writer, now, sink);
    const std::size_t fits = std::min(piece.size(), longest_line - part.text.size());
    part.text.append(piece, 0, fits);
    part.cut += piece.size() - fits;
    if (end == std::string_view::npos) return;
    ended(writer, sink);
    data.remove_prefix(end + 1);
  }
}

void OutputLines::ended(pid_t writer, const Sink& sink) {
  const auto found = std::ranges::find(parts_, writer, &Part::writer);
  if (found == parts_.end()) return;
  pass_on(*found, sink);
  parts_.erase(found);
}

Time OutputLines::look(Time now, const Sink& sink) {
  while (!parts_.empty() && now - parts_.front().since >= patience) {
    pass_on(parts_.front(), sink);
    parts_.erase(parts_.begin());
  }
  return parts_.empty() ? never : parts_.front().since + patience;
}

}  // namespace brood
