// SPDX-License-Identifier: MIT
#include "parent/failures/report_process.hpp"

#include <cstdlib>

#include "child/privileges.hpp"

namespace brood {

void ReportProcess::give_up_all() const {
  close();
  drop_privileges(identity, no_new_privileges);
  ::unsetenv("DEBUGINFOD_URLS");  // NOLINT(concurrency-mt-unsafe): nothing is asked of a network
}

}  // namespace brood
