// SPDX-License-Identifier: MIT
// The page of the status listener: page.html, with a table that needs no JavaScript. It asks for nothing but
// /status.json, and its Content-Security-Policy permits no more.
#pragma once

#include <string>
#include <string_view>

#include "brood/snapshot.hpp"
#include "program/status/http_server.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood {

enum class Rows { some, all };  // some: as many children as a page has room for, the busy ones first

// `nonce`: of letters and digits, and another one each time.
HttpAnswer page(const Snapshot& snapshot, const Verdict& verdict, Rows rows, std::string_view nonce);

}  // namespace brood
