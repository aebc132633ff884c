// SPDX-License-Identifier: MIT
// What a request asks for: from the target as it was sent to a path below the document root. Looks at the
// text only, no file.
#pragma once

#include <string>
#include <string_view>

namespace httpd {

struct Target {
  std::string path;        // "pictures/tree.png", "pictures/", "" for the root
  bool is_folder = false;  // it ends with '/'
};

// Percent signs are decoded once, empty segments dropped. Throws Refusal: bad_request where it is not
// understood; not_found where a segment begins with '.', so that neither ".." nor hidden files are ever
// asked for.
Target parse_target(std::string_view target);

// The reverse: a path as it may stand in a link or in a head.
std::string percent_encoded(std::string_view path);

}  // namespace httpd
