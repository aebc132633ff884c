// SPDX-License-Identifier: MIT
// The files of acl_master: main.cf, and a file with `service NAME { key = value … }` for each service.
#pragma once

#include <string>
#include <string_view>

#include "ctl/convert/draft.hpp"

namespace brood::ctl {

// What services need from main.cf.
struct AclMain {
  std::string daemon_directory = "/opt/acl/libexec";
  std::string queue_directory = "/opt/acl/var";
};

// Its other settings become settings of the parent.
AclMain convert_acl_main(std::string_view content, const std::string& file, Conversion& into);
// `gets`: the value of command-gets.
void convert_acl_service(std::string_view content, const std::string& file, const AclMain& main,
                         const std::string& gets, const Machine& machine, Conversion& into);

}  // namespace brood::ctl
