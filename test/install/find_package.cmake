# As a user's project does it: find_package(brood), target brood::brood.
include(${CMAKE_CURRENT_LIST_DIR}/run_echo.cmake)
set(work ${BUILD}/install-test/find_package)
set(flags)
if(SANITIZE)
  set(flags -D CMAKE_CXX_FLAGS=-fsanitize=${SANITIZE})
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${work} -D CMAKE_CXX_COMPILER=${CXX} ${flags}
          -D CMAKE_PREFIX_PATH=${BUILD}/install-test/tree -D EXAMPLES=${BUILD}/install-test/tree/share/doc/brood/examples
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${work} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
run_echo(${work}/echo)
run_echo(${work}/lambda)
