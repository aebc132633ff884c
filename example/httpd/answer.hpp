// SPDX-License-Identifier: MIT
// Answers a request from the files below the document root. In a child, any thread; knows nothing of how
// requests arrive.
#pragma once

#include <brood/connection.hpp>

#include "document_root.hpp"
#include "request.hpp"
#include "status.hpp"

namespace httpd {

// A refusal is answered too, not thrown. `keep_alive`: whether to say that the connection is.
void answer(brood::Connection& connection, const Request& request, const DocumentRoot& root, bool keep_alive);

// Where there is no request to be answered.
void answer(brood::Connection& connection, const Refusal& refusal);

}  // namespace httpd
