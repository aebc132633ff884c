// SPDX-License-Identifier: MIT
// What a handler keeps with a connection: an object of a type of its own, made when it is first asked for.
#pragma once

#include "brood/cxx20.hpp"

#include <memory>
#include <typeinfo>

namespace brood {

class HandlerState {
 public:
  // Throws Error if there is an object of another type.
  template <typename State>
  State& get() {
    if (!object_) {
      object_ = std::make_shared<State>();
      type_ = &typeid(State);
    }
    if (*type_ != typeid(State)) refuse(typeid(State));
    return *static_cast<State*>(object_.get());
  }

 private:
  [[noreturn]] void refuse(const std::type_info& asked) const;

  std::shared_ptr<void> object_;
  const std::type_info* type_ = nullptr;
};

}  // namespace brood
