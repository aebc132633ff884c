// SPDX-License-Identifier: MIT
#include "child/handler_guard.hpp"

#include <exception>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

Outcome log_failure(const std::string& whose) {
  try {
    throw;
  } catch (const SystemError& error) {  // usually a peer that has closed its connection
    log_info(text(whose, " ended by an exception: ", std::string_view(error.what())));
  } catch (const std::exception& error) {
    log_warning(text(whose, " ended by an exception: ", std::string_view(error.what())));
  } catch (...) {
    log_warning(text(whose, " ended by an exception that is no std::exception"));
  }
  return Outcome::failed;
}

}  // namespace brood
