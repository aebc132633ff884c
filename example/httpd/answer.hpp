// SPDX-License-Identifier: MIT
// Answers requests from the files below the document root. In a child, any thread.
#pragma once

#include <brood/connection.hpp>

#include "files.hpp"

namespace httpd {

// The head of an answer with the fields that all have.
class Head {
 public:
  explicit Head(http::status status) {
    // Each thread formats the date once a second.
    thread_local std::time_t second = 0;
    thread_local std::string date;
    if (const auto now = std::time(nullptr); now != second) date = http_date(second = now);
    text_.reserve(512);
    text_ += "HTTP/1.1 " + std::to_string(static_cast<unsigned>(status)) + " ";
    text_ += view(http::obsolete_reason(status));
    text_ += "\r\n";
    field("Date", date);
  }
  Head& field(std::string_view name, std::string_view value) {
    ((text_ += name) += ": ") += value;
    return line("\r\n");
  }
  Head& line(std::string_view text) {
    text_ += text;
    return *this;
  }
  std::string end(bool keep_alive) {
    return std::move(line(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n").text_);
  }

 private:
  std::string text_;
};

// Of one request.
class Answer {
 public:
  Answer(brood::Connection& connection, bool head_only, bool keep_alive)
      : connection_(connection), head_only_(head_only), keep_alive_(keep_alive) {}

  void refuse(const Refusal& refusal) {
    give_page(refusal.status, refusal.what() + std::string("\n"), "text/plain; charset=utf-8", refusal.field);
  }

  // A refusal is answered, not thrown.
  void give(const Request& request, const DocumentRoot& root) try {
    if (request.method() == http::verb::unknown)
      throw Refusal(http::status::not_implemented, "This server does not know the method.");
    if (request.method() != http::verb::get && request.method() != http::verb::head)
      throw Refusal(http::status::method_not_allowed, "This server has GET and HEAD only.",
                    "Allow: GET, HEAD\r\n");
    const std::string path = path_of(view(request.target()));
    const bool names_folder = path.empty() || path.ends_with('/');
    if (names_folder) {
      auto index = root.open(path + "index.html");
      if (index && !index->is_folder) return give_file(request, std::move(*index), "index.html");
    }
    auto file = root.open(path);
    if (!file || (names_folder && !file->is_folder)) throw not_found();
    if (!file->is_folder) return give_file(request, std::move(*file), path);
    if (!names_folder)
      throw Refusal(http::status::moved_permanently, "The requested folder is at another address.",
                    "Location: /" + percent_encoded(path) + "/\r\n");
    give_page(http::status::ok, listing(std::move(file->descriptor), path), content_type("index.html"), "");
  } catch (const Refusal& refusal) {
    refuse(refusal);
  }

 private:
  void give_page(http::status status, const std::string& page, const std::string& type,
                 const std::string& line) {
    const std::string head = Head(status)
                                 .field("Content-Type", type)
                                 .field("Content-Length", std::to_string(page.size()))
                                 .line(line)
                                 .end(keep_alive_);
    connection_.write_all(head, head_only_ ? std::string_view() : page);
  }

  void give_file(const Request& request, File file, const std::string& name) {
    auto status = judge(request, file.version);
    if (status == http::status::precondition_failed)
      throw Refusal(status, "The requested file is not what the request makes a condition.");
    const std::string whole = "/" + std::to_string(file.size);
    ByteRange part{.first = 0, .size = file.size};
    std::string range;
    if (const auto wanted = wanted_range(request, file.version, file.size);
        wanted && status == http::status::ok) {
      if (wanted->size == 0)
        throw Refusal(http::status::range_not_satisfiable, "The requested range has no bytes.",
                      "Content-Range: bytes *" + whole + "\r\n");
      status = http::status::partial_content;
      part = *wanted;
      range = "Content-Range: bytes " + std::to_string(part.first) + "-" +
              std::to_string(part.first + part.size - 1) + whole + "\r\n";
    }
    Head head(status);
    head.field("Last-Modified", http_date(file.version.modified)).field("ETag", file.version.tag);
    if (status == http::status::not_modified) return connection_.write_all(head.end(keep_alive_));
    head.field("Content-Type", content_type(name))
        .field("Content-Length", std::to_string(part.size))
        .field("Accept-Ranges", "bytes")
        .line(range);
    const std::string text = head.end(keep_alive_);
    if (head_only_ || part.size == 0) return connection_.write_all(text);
    std::array<char, 16'384>
        small;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is used is written
    if (part.size <= small.size()) {  // one write is cheaper than a second call, sendfile()
      const auto size =
          ::pread(file.descriptor.get(), small.data(), part.size, static_cast<off_t>(part.first));
      if (size != static_cast<ssize_t>(part.size))
        throw brood::Error("a file has become shorter while it was read");
      return connection_.write_all(text, std::string_view(small.data(), part.size));
    }
    connection_.write_all(text, true);
    connection_.send_file(std::move(file.descriptor), part.first, part.size);
  }

  brood::Connection& connection_;
  const bool head_only_, keep_alive_;
};

}  // namespace httpd
