// SPDX-License-Identifier: MIT
#include "answer.hpp"

#include <unistd.h>

#include <array>
#include <brood/error.hpp>
#include <cerrno>

#include "byte_range.hpp"
#include "conditions.hpp"
#include "content_type.hpp"
#include "head.hpp"
#include "http_date.hpp"
#include "listing.hpp"
#include "target.hpp"

namespace httpd {
namespace {

// A smaller body is read and sent with the head in one write, which is cheaper than a second call,
// sendfile().
constexpr std::uint64_t small = 16'384;

constexpr std::string_view allowed = "Allow: GET, HEAD\r\n";

// One in each thread, so that no answer allocates memory.
std::string& output() {
  thread_local std::string out;
  out.clear();
  return out;
}

// broodctl shows it while the request is served, and until the next one.
void note(brood::Connection& connection, const Request& request) {
  std::array<char, 48> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is used is written
  std::size_t size = std::string_view(request.method == Method::head ? "HEAD " : "GET ").copy(text.data(), 5);
  size += request.target.copy(text.data() + size, text.size() - size);
  connection.note({text.data(), size});
}

class Answer {
 public:
  Answer(brood::Connection& connection, const Request& request, bool keep_alive)
      : connection_(connection), request_(request), keep_alive_(keep_alive) {}

  void from(const DocumentRoot& root) {
    if (request_.method == Method::unknown) throw Refusal{Status::not_implemented, {}};
    if (request_.method == Method::other) throw Refusal{Status::method_not_allowed, std::string(allowed)};
    note(connection_, request_);
    Target target = parse_target(request_.target);
    std::optional<File> file;
    if (target.is_folder || target.path.empty()) {
      const std::string index = target.path + "index.html";
      file = root.open(index);
      if (file && !file->is_folder) return give(std::move(*file), index);
    }
    file = root.open(target.path);
    if (!file || (target.is_folder && !file->is_folder)) throw Refusal{Status::not_found, {}};
    if (!file->is_folder) return give(std::move(*file), target.path);
    if (!target.is_folder)
      throw Refusal{Status::moved_permanently, "Location: /" + percent_encoded(target.path) + "/\r\n"};
    give_listing(std::move(file->descriptor), target.path);
  }

  void refuse(const Refusal& refusal) {
    std::string& out = output();
    const std::string_view body = explanation(refusal.status);
    Head(out, refusal.status).field("Content-Length", body.size()).line(refusal.field).end(keep_alive_);
    if (!head_only()) out.append(body);
    connection_.write_all(out);
  }

 private:
  bool head_only() const { return request_.method == Method::head; }

  void give(File file, std::string_view name) {
    const Version version = version_of(file.size, file.modified);
    const Verdict verdict = judge(request_, version);
    if (verdict == Verdict::failed) throw Refusal{Status::precondition_failed, {}};
    std::string& out = output();
    if (verdict == Verdict::not_modified) {
      Head(out, Status::not_modified)
          .field("Date", http_date_now())
          .field("Last-Modified", HttpDate(version.modified))
          .field("ETag", version.tag)
          .end(keep_alive_);
      return connection_.write_all(out);
    }
    const std::string whole = "/" + std::to_string(file.size);
    std::optional<ByteRange> range;
    if (request_.method == Method::get && !request_.range.empty() && range_still_fits(request_, version))
      range = parse_range(request_.range, file.size);
    if (range && range->size == 0)
      throw Refusal{Status::range_not_satisfiable, "Content-Range: bytes *" + whole + "\r\n"};
    const ByteRange part = range.value_or(ByteRange{.first = 0, .size = file.size});
    Head head(out, range ? Status::partial_content : Status::ok);
    head.field("Date", http_date_now())
        .field("Content-Type", content_type(name))
        .field("Content-Length", part.size)
        .field("Last-Modified", HttpDate(version.modified))
        .field("ETag", version.tag)
        .field("Accept-Ranges", "bytes");
    if (range)
      head.field("Content-Range", "bytes " + std::to_string(part.first) + "-" +
                                      std::to_string(part.first + part.size - 1) + whole);
    head.end(keep_alive_);
    give_part(std::move(file.descriptor), part, out);
  }

  void give_part(brood::Descriptor file, const ByteRange& part, std::string& out) {
    if (head_only() || part.size == 0) return connection_.write_all(out);
    if (part.size <= small) {
      append_part(file, part, out);
      return connection_.write_all(out);
    }
    connection_.write_all(out, true);
    connection_.send_file(std::move(file), part.first, part.size);
  }

  static void append_part(const brood::Descriptor& file, const ByteRange& part, std::string& out) {
    std::size_t at = out.size();
    out.resize(at + part.size);
    auto offset = static_cast<off_t>(part.first);
    while (at < out.size()) {
      const ssize_t size = ::pread(file.get(), &out[at], out.size() - at, offset);
      if (size < 0) throw brood::SystemError("read a file", errno);
      if (size == 0) throw brood::Error("a file has become shorter while it was read");
      at += static_cast<std::size_t>(size);
      offset += size;
    }
  }

  void give_listing(brood::Descriptor folder, std::string_view path) {
    const std::string page = listing(std::move(folder), path);
    std::string& out = output();
    Head(out, Status::ok)
        .field("Date", http_date_now())
        .field("Content-Type", content_type("index.html"))
        .field("Content-Length", page.size())
        .end(keep_alive_);
    if (!head_only()) out.append(page);
    connection_.write_all(out);
  }

  brood::Connection& connection_;
  const Request& request_;
  const bool keep_alive_;
};

}  // namespace

void answer(brood::Connection& connection, const Request& request, const DocumentRoot& root,
            bool keep_alive) {
  Answer answer(connection, request, keep_alive);
  try {
    answer.from(root);
  } catch (const Refusal& refusal) {
    answer.refuse(refusal);
  }
}

void answer(brood::Connection& connection, const Refusal& refusal) {
  Answer(connection, Request{}, false).refuse(refusal);
}

}  // namespace httpd
