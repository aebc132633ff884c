// SPDX-License-Identifier: MIT
// The folder whose files are served, and nothing outside of it. The kernel resolves each path from the
// folder's descriptor (openat2, RESOLVE_BENEATH), so that neither ".." nor a symbolic link leads out, even if
// files are renamed at the same time. A link that stays inside is followed.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <brood/descriptor.hpp>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>

#include "fields.hpp"

namespace httpd {

struct File {
  brood::Descriptor descriptor;
  bool is_folder = false;
  std::uint64_t size = 0;
  Version version;
};

// Opened by the parent, used by any thread of its children.
class DocumentRoot {
 public:
  // O_PATH: permissions are checked when a child, which has given up privileges, opens a file. Throws
  // brood::ConfigurationError: it is no folder, or this system lacks openat2() (Linux 5.6).
  explicit DocumentRoot(const std::string& path)
      : folder_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    std::string what = "document-root = " + path;
    if (folder_ && (brood::Descriptor(open_beneath(".")) || errno == EACCES)) return;
    if (folder_) what += " can't be kept closed: openat2 (Linux 5.6, and allowed by any sandbox)";
    throw brood::ConfigurationError(brood::SystemError(what, errno).what());
  }

  // A file or a folder; "" is the root. Empty: there is none, or something else has that name (a FIFO, a
  // device, a link that leads out). Throws Refusal: forbidden, unavailable.
  std::optional<File> open(const std::string& path) const {
    File file{.descriptor = brood::Descriptor(open_beneath(path.empty() ? "." : path.c_str()))};
    if (!file.descriptor) {
      if (errno == EACCES || errno == EPERM)
        throw Refusal(http::status::forbidden, "The requested file must not be read.");
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        throw Refusal(http::status::service_unavailable, "The server can't answer this request now.");
      return {};
    }
    struct stat status {};
    if (::fstat(file.descriptor.get(), &status) != 0) throw brood::SystemError("fstat " + path, errno);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {};
    file.is_folder = S_ISDIR(status.st_mode);
    file.size = static_cast<std::uint64_t>(status.st_size);
    file.version.modified = status.st_mtim.tv_sec;
    file.version.tag = "\"" + std::to_string(file.size) + "-" + std::to_string(status.st_mtim.tv_sec) + "-" +
                       std::to_string(status.st_mtim.tv_nsec) + "\"";
    return file;
  }

 private:
  // glibc has no function for openat2(). O_NONBLOCK: opening a FIFO must not wait for its writer.
  int open_beneath(const char* path) const {
    const open_how how{.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                       .mode = 0,
                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return static_cast<int>(::syscall(SYS_openat2, folder_.get(), path, &how, sizeof how));
  }

  brood::Descriptor folder_;
};

// The media type of a file, found by the end of its name.
inline std::string content_type(const std::string& name) {
  constexpr std::array<std::array<boost::string_view, 2>, 23> types = {{{"css", "text/css"},
                                                                        {"csv", "text/csv"},
                                                                        {"gif", "image/gif"},
                                                                        {"gz", "application/gzip"},
                                                                        {"htm", "text/html"},
                                                                        {"html", "text/html"},
                                                                        {"ico", "image/vnd.microsoft.icon"},
                                                                        {"jpeg", "image/jpeg"},
                                                                        {"jpg", "image/jpeg"},
                                                                        {"js", "text/javascript"},
                                                                        {"json", "application/json"},
                                                                        {"md", "text/markdown"},
                                                                        {"mjs", "text/javascript"},
                                                                        {"mp3", "audio/mpeg"},
                                                                        {"mp4", "video/mp4"},
                                                                        {"pdf", "application/pdf"},
                                                                        {"png", "image/png"},
                                                                        {"svg", "image/svg+xml"},
                                                                        {"txt", "text/plain"},
                                                                        {"wasm", "application/wasm"},
                                                                        {"webp", "image/webp"},
                                                                        {"woff2", "font/woff2"},
                                                                        {"xml", "application/xml"}}};
  const auto dot = name.find_last_of("./");
  const std::string ending = dot == std::string::npos || name[dot] == '/' ? "" : name.substr(dot + 1);
  const auto* const found =
      std::find_if(types.begin(), types.end(), [&](const auto& type) { return iequals(type[0], ending); });
  if (found == types.end()) return "application/octet-stream";
  std::string type((*found)[1]);
  return type.starts_with("text/") ? type += "; charset=utf-8" : type;
}

// For a link, or for a field of a head.
inline std::string percent_encoded(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    std::array<char, 4> code{c};
    const bool plain = byte < 128 && (std::isalnum(byte) != 0 ||
                                      std::string_view("-._~/").find(c) != std::string_view::npos);
    if (!plain) std::snprintf(code.data(), code.size(), "%%%02X", byte);
    out += code.data();
  }
  return out;
}

// The page for a folder without an index.html: a list of its files, but not of hidden ones.
inline std::string listing(brood::Descriptor folder, const std::string& path) {
  constexpr std::size_t most_listed = 10'000;
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char c : text)
      out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return out;
  };
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder.get()), &::closedir);
  if (!entries) throw brood::SystemError("read a folder", errno);
  folder.release();  // `entries` owns it
  std::set<std::string> names;
  if (!path.empty()) names.insert("../");
  while (const dirent* const entry = ::readdir(entries.get())) {
    const auto type = entry->d_type;
    if (entry->d_name[0] == '.' || names.size() >= most_listed) continue;
    if (type == DT_REG || type == DT_DIR || type == DT_LNK || type == DT_UNKNOWN)
      names.insert(std::string(entry->d_name) + (type == DT_DIR ? "/" : ""));
  }
  const std::string title = escaped("/" + path);
  std::string page = "<!DOCTYPE html>\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n<ul>\n";
  for (const auto& name : names)
    // "./": without it, a browser would read a name with a colon as a scheme.
    page += "<li><a href=\"./" + percent_encoded(name) + "\">" + escaped(name) + "</a>\n";
  return page + "</ul>\n";
}

}  // namespace httpd
