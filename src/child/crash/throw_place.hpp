// SPDX-License-Identifier: MIT
// Where an exception was thrown that a catch block of the kit's has caught: the stack is unwound by then.
//
// An exception is thrown in two steps. The first one asks each function on the stack whether it catches the
// exception, and nothing is unwound yet. The type below is never thrown and never caught: asked whether it
// catches an exception, it writes the stack down and says no. Code that throws nothing pays nothing, and an
// exception that the handler itself catches never gets here.
#pragma once

#include <string>

namespace brood {

class ThrowPlace {
 public:
  ThrowPlace() = delete;
  virtual ~ThrowPlace();  // defined nowhere: then the compiler leaves the type_info to throw_place.cpp
};

// Within the try block whose catch block calls where_thrown().
template <typename Function>
void note_throw_place(const Function& function) {
  try {
    function();
  } catch (const ThrowPlace&) {  // never
  }
}

// Of the last exception that left note_throw_place() in this thread: ", thrown at server+0x1234,
// server+0x2345", the innermost place first. Empty: it is not known, or the exception was thrown again from
// elsewhere. Once.
std::string where_thrown();

}  // namespace brood
