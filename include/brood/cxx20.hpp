// SPDX-License-Identifier: MIT
// Included first by each public header, so that a compiler in an older mode says this and stops.
#pragma once

#if __cplusplus < 202002L
#error "Brood needs C++20: compile with -std=c++20"
#include "brood-needs-std=c++20"  // stops the compiler, which would go on to say much that is of no use
#endif
