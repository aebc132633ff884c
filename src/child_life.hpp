// SPDX-License-Identifier: MIT
// The life of a child, from fork to exit code. The caller has given up what is the parent's alone.
#pragma once

#include "child_process.hpp"

namespace brood {

int live(const ChildBirth& birth);

}  // namespace brood
