// SPDX-License-Identifier: MIT
// Makes a path below the document root out of the target of a request. Looks at no file.
#pragma once

#include <string>
#include <string_view>

namespace httpd {

struct Target {
  std::string path;        // "pictures/tree.png", "pictures/", "" for the root
  bool is_folder = false;  // it ends with '/'
};

// Percent signs are decoded once, and empty segments dropped. Throws Refusal: bad_request if the target is
// not understood; not_found if a segment begins with '.', so that neither ".." nor a hidden file is ever
// opened.
Target parse_target(std::string_view target);

// The reverse: a path for a link or for a field of the head.
std::string percent_encoded(std::string_view path);

}  // namespace httpd
