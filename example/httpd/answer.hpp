// SPDX-License-Identifier: MIT
// Answers a request from the files below the document root. In a child, any thread. Does not read requests.
#pragma once

#include <brood/connection.hpp>

#include "document_root.hpp"
#include "request.hpp"
#include "status.hpp"

namespace httpd {

// A refusal is answered, not thrown. `keep_alive`: the answer says that the connection stays open.
void answer(brood::Connection& connection, const Request& request, const DocumentRoot& root, bool keep_alive);

// For a refusal without a complete request.
void answer(brood::Connection& connection, const Refusal& refusal);

}  // namespace httpd
