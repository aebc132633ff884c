// SPDX-License-Identifier: MIT
#include "listing.hpp"

#include <dirent.h>

#include <algorithm>
#include <brood/error.hpp>
#include <cerrno>
#include <memory>
#include <vector>

#include "target.hpp"

namespace httpd {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::vector<std::string> names_in(brood::Descriptor descriptor) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(descriptor.get()), &::closedir);
  if (!folder) throw brood::SystemError("read a folder", errno);
  descriptor.release();  // `folder` owns it
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(folder.get())) {
    const bool shown = entry->d_type == DT_REG || entry->d_type == DT_DIR || entry->d_type == DT_LNK ||
                       entry->d_type == DT_UNKNOWN;
    if (entry->d_name[0] == '.' || !shown) continue;
    names.emplace_back(entry->d_name);
    if (entry->d_type == DT_DIR) names.back() += '/';
    if (names.size() == most_listed) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string listing(brood::Descriptor folder, std::string_view path) {
  const std::string title = escaped("/" + std::string(path));
  std::string page = "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>" + title +
                     "</title></head>\n<body>\n<h1>" + title + "</h1>\n<ul>\n";
  if (!path.empty()) page += "<li><a href=\"../\">../</a></li>\n";
  for (const auto& name : names_in(std::move(folder)))
    // "./": without it, a browser would read a name with a colon as a scheme.
    page += "<li><a href=\"./" + percent_encoded(name) + "\">" + escaped(name) + "</a></li>\n";
  return page + "</ul>\n</body>\n</html>\n";
}

}  // namespace httpd
