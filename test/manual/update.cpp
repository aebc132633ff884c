// SPDX-License-Identifier: MIT
// Writes the generated parts into the pages of the manual: `cmake --build BUILD_DIRECTORY --target manual`.
#include <cstdio>
#include <exception>
#include <fstream>

#include "generated.hpp"

using namespace brood::test;

namespace {

void update(const std::string& path, const std::string& generated) {
  const std::string page = with_generated(read_file(path), generated);
  std::ofstream(path) << page;
}

}  // namespace

int main() {
  try {
    const std::string root = BROOD_SOURCE;
    update(root + "/man/brood.conf.5", settings_as_mdoc());
    update(root + "/man/brood_server.3", source_as_mdoc(read_file(root + "/example/echo.cpp")));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
