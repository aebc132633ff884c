// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN  // the header itself may be precompiled
#include <doctest/doctest.h>
