// SPDX-License-Identifier: MIT
// What kind of content a file is said to have, by the end of its name.
#pragma once

#include <string_view>

namespace httpd {

std::string_view content_type(std::string_view name);

}  // namespace httpd
