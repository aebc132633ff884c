// SPDX-License-Identifier: MIT
// A client's conditions for getting a file (RFC 9110, section 13): that it does not have the file already, or
// that the file was not changed.
#pragma once

#include <ctime>
#include <string>

#include "request.hpp"

namespace httpd {

// Differs between two contents of a file.
struct Version {
  std::string tag;  // with its quotes
  std::time_t modified = 0;
};

Version version_of(std::uint64_t size, const timespec& modified);

enum class Verdict { give, not_modified, failed };
Verdict judge(const Request& request, const Version& version);

// True: the file is still the one of which the client wants a range.
bool range_still_fits(const Request& request, const Version& version);

}  // namespace httpd
