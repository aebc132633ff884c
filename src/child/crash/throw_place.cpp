// SPDX-License-Identifier: MIT
#include "child/crash/throw_place.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <typeinfo>

#include "base/crash/place_in_code.hpp"
#include "base/text.hpp"

namespace brood {
namespace {

constexpr std::size_t most_places = 4;

struct ThrowPlaces {
  std::size_t number = 0;
  std::array<std::uintptr_t, most_places> address;
};

thread_local ThrowPlaces places;

struct ThrowWalk {
  ThrowPlaces found{.address = {}};
  const link_map* library = nullptr;  // that of __cxa_throw(), if it is no part of the program
  bool has_begun = false;
};

const link_map* link_map_of(std::uintptr_t address) {
  dl_find_object found{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what is looked up
  return ::_dl_find_object(reinterpret_cast<void*>(address), &found) == 0 ? found.dlfo_link_map : nullptr;
}

bool is_part_of_library(const link_map* module) { return module != nullptr && *module->l_name != '\0'; }

// Also if a sanitizer has put a function of its own before it, which leaves no frame.
bool throws(void* function) {
  if (function == reinterpret_cast<void*>(&abi::__cxa_throw) ||
      function == reinterpret_cast<void*>(&abi::__cxa_rethrow))
    return true;
  Dl_info found{};
  if (::dladdr(function, &found) == 0 || found.dli_sname == nullptr) return false;
  const std::string_view name = found.dli_sname;
  return name == "__cxa_throw" || name == "__cxa_rethrow";
}

_Unwind_Reason_Code walk_step(_Unwind_Context* context, void* argument) {
  ThrowWalk& walk = *static_cast<ThrowWalk*>(argument);
  const std::uintptr_t address = _Unwind_GetIP(context) - 1;  // of the call
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what is looked up
  void* const function = _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(address + 1));
  if (!walk.has_begun) {
    walk.has_begun = throws(function);
    if (const link_map* const module = link_map_of(address); walk.has_begun && is_part_of_library(module))
      walk.library = module;
    return _URC_NO_REASON;
  }
  // A function of the library throws for its caller, as std::vector::at().
  if (walk.found.number == 0 && walk.library != nullptr && link_map_of(address) == walk.library)
    return _URC_NO_REASON;
  walk.found.address.at(walk.found.number++) = address;
  return walk.found.number == most_places ? _URC_END_OF_STACK : _URC_NO_REASON;
}

std::string place_name(std::uintptr_t address) {
  const link_map* const module = link_map_of(address);
  if (module == nullptr) return in_hexadecimal(address);
  std::error_code error;
  const std::string path = is_part_of_library(module)
                               ? module->l_name
                               : std::filesystem::read_symlink("/proc/self/exe", error).string();
  return text(file_name(path), '+', in_hexadecimal(address - module->l_addr));
}

}  // namespace

// Not in the anonymous namespace: a variable of its type has a name for the linker.
class TypeOfThrowPlace : public std::type_info {
 public:
  TypeOfThrowPlace() : type_info("N5brood10ThrowPlaceE") {}

  // It is asked again while the stack is unwound, and then finds no place.
  // NOLINTNEXTLINE(bugprone-reserved-identifier): the name is the library's
  bool __do_catch(const std::type_info* /*thrown*/, void** /*object*/, unsigned /*outer*/) const override {
    ThrowWalk walk;
    _Unwind_Backtrace(walk_step, &walk);
    if (walk.found.number > 0) places = walk.found;
    return false;
  }
};

// What the compiler takes for the type_info of ThrowPlace.
extern const TypeOfThrowPlace type_of_throw_place asm("_ZTIN5brood10ThrowPlaceE");
const TypeOfThrowPlace type_of_throw_place;

std::string where_thrown() {
  std::string where;
  for (std::size_t i = 0; i < places.number; ++i)
    where += text(i == 0 ? ", thrown at " : ", ", place_name(places.address.at(i)));
  places.number = 0;
  return where;
}

}  // namespace brood
