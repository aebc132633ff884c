// SPDX-License-Identifier: MIT
// The keys of acl_master and of the server frameworks of acl.
#pragma once

#include <span>

#include "ctl/convert/key_rules.hpp"

namespace brood::ctl {

std::span<const KeyRule> acl_main_keys();
std::span<const KeyRule> acl_service_keys();  // master_…
std::span<const KeyRule>
acl_framework_keys();  // what follows ioctl_, single_, aio_, udp_, trigger_ or fiber_

}  // namespace brood::ctl
