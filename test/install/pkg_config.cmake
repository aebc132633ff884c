# By hand: c++ $(pkg-config --cflags --libs brood).
include(${CMAKE_CURRENT_LIST_DIR}/run_echo.cmake)
find_program(pkg_config pkg-config)
if(NOT pkg_config)
  message("skipped: pkg-config is not installed")
  return()
endif()
set(tree ${BUILD}/install-test/tree)
set(ENV{PKG_CONFIG_PATH} ${tree}/${LIBDIR}/pkgconfig)
execute_process(COMMAND ${pkg_config} --cflags --libs brood OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags)
if(SANITIZE)
  list(APPEND flags -fsanitize=${SANITIZE})
endif()
set(program ${BUILD}/install-test/echo_by_pkg_config)
execute_process(COMMAND ${CXX} -std=c++20 -o ${program} ${tree}/share/doc/brood/examples/echo.cpp ${flags}
                COMMAND_ERROR_IS_FATAL ANY)
run_echo(${program})
