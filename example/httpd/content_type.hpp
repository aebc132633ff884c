// SPDX-License-Identifier: MIT
// The media type of a file, found by the end of its name.
#pragma once

#include <string_view>

namespace httpd {

std::string_view content_type(std::string_view name);

}  // namespace httpd
