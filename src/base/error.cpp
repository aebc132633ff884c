// SPDX-License-Identifier: MIT
#include "brood/error.hpp"

#include <system_error>

namespace brood {

SystemError::SystemError(const std::string& what, int error_number, ExitCode code)
    : Error(what + ": " + std::generic_category().message(error_number), code), error_number_(error_number) {}

TimeoutError::TimeoutError(const std::string& what) : ConnectionError(what, ETIMEDOUT) {}

}  // namespace brood
