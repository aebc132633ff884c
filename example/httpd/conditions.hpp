// SPDX-License-Identifier: MIT
// Whether a client's conditions let it have a file (RFC 9110, section 13): has it the file already, or was it
// changed behind its back?
#pragma once

#include <ctime>
#include <string>

#include "request.hpp"

namespace httpd {

// What tells one content of a file from another.
struct Version {
  std::string tag;  // with its quotes
  std::time_t modified = 0;
};

Version version_of(std::uint64_t size, const timespec& modified);

enum class Verdict { give, not_modified, failed };
Verdict judge(const Request& request, const Version& version);

// Whether a range of what the client has begun to fetch may still be given.
bool range_still_fits(const Request& request, const Version& version);

}  // namespace httpd
