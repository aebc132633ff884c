# -DBROOD_IO_URING=ON: Boost.Asio waits with io_uring, in the library and in the programs that use it. Included from the
# top.
if(NOT BROOD_IO_URING)
  return()
endif()
if(Boost_VERSION_STRING VERSION_LESS 1.78)
  message(FATAL_ERROR "BROOD_IO_URING needs Boost 1.78 or newer, this is ${Boost_VERSION_STRING}. On Debian 12 install "
                      "libboost1.81-dev and libboost-program-options1.81-dev, or run `make io-uring`, which needs no root.")
endif()
find_path(LIBURING_INCLUDE_DIR liburing.h)
find_library(LIBURING_LIBRARY uring)
if(NOT LIBURING_INCLUDE_DIR OR NOT LIBURING_LIBRARY)
  message(FATAL_ERROR "BROOD_IO_URING needs liburing: install liburing-dev")
endif()
# In liburing 2.2 and 2.3 a reused entry keeps the user data of the operation before. Boost.Asio sets none for a
# cancellation, takes its completion for that of another operation, and exchanges hang:
# https://github.com/axboe/liburing/issues/848
include(CheckCXXSourceRuns)
set(CMAKE_REQUIRED_INCLUDES ${LIBURING_INCLUDE_DIR})
set(CMAKE_REQUIRED_LIBRARIES ${LIBURING_LIBRARY})
check_cxx_source_runs("
#include <liburing.h>
int main() {
  unsigned head = 0;
  io_uring_sqe entry = {};
  entry.user_data = 1;
  io_uring ring = {};
  ring.sq.khead = &head;
  ring.sq.sqes = &entry;
  ring.sq.ring_entries = 1;
  return io_uring_get_sqe(&ring)->user_data == 0 ? 0 : 1;
}" BROOD_LIBURING_CLEARS_USER_DATA)
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT BROOD_LIBURING_CLEARS_USER_DATA)
  message(FATAL_ERROR "BROOD_IO_URING needs liburing 2.4 or newer: older ones make Boost.Asio lose completions")
endif()
set(BROOD_IO_URING_DEFINITIONS BOOST_ASIO_HAS_IO_URING BOOST_ASIO_DISABLE_EPOLL)
target_compile_definitions(brood_flags INTERFACE ${BROOD_IO_URING_DEFINITIONS})
target_include_directories(brood_flags SYSTEM INTERFACE ${LIBURING_INCLUDE_DIR})
target_link_libraries(brood_flags INTERFACE ${LIBURING_LIBRARY})
# For brood.pc.
set(BROOD_PC_LIBS " -luring")
set(BROOD_PC_CFLAGS " -DBOOST_ASIO_HAS_IO_URING -DBOOST_ASIO_DISABLE_EPOLL")
