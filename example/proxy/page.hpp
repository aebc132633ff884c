// SPDX-License-Identifier: MIT
// The pages that the proxy itself answers with. They end the connection.
#pragma once

#include <brood/snapshot.hpp>

#include "message.hpp"

namespace proxy {

constexpr const char* own_error_page =
    "<!DOCTYPE html><title>{errno} {cause}</title><h1>{errno} {cause}</h1><p>{detail}</p>\n";

inline void replace(std::string& text, const std::string& word, const std::string& by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
    text.replace(at, word.size(), by);
}

inline std::string escaped(std::string text) {
  replace(text, "&", "&amp;");
  replace(text, "<", "&lt;");
  return text;
}

inline std::string answer(const std::string& status, const std::string& field, const std::string& page) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " + std::to_string(page.size()) +
         "\r\n" + field + "Connection: close\r\n\r\n" + page;
}

inline std::string refusal_answer(const Refusal& refusal, std::string page) {
  replace(page, "{errno}", refusal.status.substr(0, 3));
  replace(page, "{cause}", refusal.status.substr(4));
  replace(page, "{detail}", escaped(refusal.what()));
  return answer(refusal.status, refusal.field, page);
}

// The figures of the scoreboard at `path`, or why it cannot be read.
inline std::string statistics_answer(const std::string& path) {
  std::string page = "<!DOCTYPE html><title>Statistics</title><h1>Statistics</h1>\n<table>\n";
  const auto row = [&](const std::string& name, std::uint64_t value) {
    page += "<tr><td>" + name + "<td>" + std::to_string(value) + "\n";
  };
  try {
    for (const auto& service : brood::Snapshot::read(path).services) {
      row("children", service.children());
      row("open connections", service.open_connections);
      row("connections", service.total.accepted);
      row("bytes from clients", service.total.bytes_read);
      row("bytes to clients", service.total.bytes_written);
    }
  } catch (const brood::Error& error) {
    page += "<caption>" + escaped(error.what()) + "</caption>\n";
  }
  return answer("200 OK", "Cache-Control: no-store\r\n", page + "</table>\n");
}

}  // namespace proxy
